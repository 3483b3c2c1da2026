// Package bedrockagentcorecontrol stands in for the real one: see left-out/README.md.
package bedrockagentcorecontrol

import (
	"context"
	"errors"
)

type (
	Client                        struct{}
	Options                       struct{}
	GetAgentRuntimeEndpointInput  struct{ AgentRuntimeId, EndpointName *string }
	GetAgentRuntimeEndpointOutput struct{}
)

func NewFromConfig(any, ...func(*Options)) *Client { return &Client{} }

func (*Client) GetAgentRuntimeEndpoint(context.Context, *GetAgentRuntimeEndpointInput, ...func(*Options)) (*GetAgentRuntimeEndpointOutput, error) {
	return nil, errors.New("AWS AgentCore is left out of hitless-engine")
}
