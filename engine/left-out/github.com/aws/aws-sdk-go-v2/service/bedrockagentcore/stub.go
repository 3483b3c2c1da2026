// Package bedrockagentcore stands in for the real one: see left-out/README.md.
package bedrockagentcore

import (
	"context"
	"errors"
	"io"
)

type (
	Client                  struct{}
	Options                 struct{}
	InvokeAgentRuntimeInput struct {
		AccountId, AgentRuntimeArn, ContentType, Qualifier *string
		Payload                                            []byte
	}
	InvokeAgentRuntimeOutput struct {
		Response   io.ReadCloser
		StatusCode *int32
	}
)

func NewFromConfig(any, ...func(*Options)) *Client { return &Client{} }

func (*Client) InvokeAgentRuntime(context.Context, *InvokeAgentRuntimeInput, ...func(*Options)) (*InvokeAgentRuntimeOutput, error) {
	return nil, errors.New("AWS AgentCore is left out of hitless-engine")
}
