// Package run stands in for the real one: see left-out/README.md.
package run

import (
	"context"
	"errors"

	"cloud.google.com/go/run/apiv2/runpb"
)

type WorkerPoolsClient struct{}

var errLeftOut = errors.New("Google Cloud Run is left out of hitless-engine")

func NewWorkerPoolsClient[T any](context.Context, ...T) (*WorkerPoolsClient, error) {
	return nil, errLeftOut
}

func (*WorkerPoolsClient) Close() error { return nil }

func (*WorkerPoolsClient) GetWorkerPool(context.Context, *runpb.GetWorkerPoolRequest) (*runpb.WorkerPool, error) {
	return nil, errLeftOut
}

func (*WorkerPoolsClient) UpdateWorkerPool(context.Context, *runpb.UpdateWorkerPoolRequest) (*runpb.WorkerPool, error) {
	return nil, errLeftOut
}
