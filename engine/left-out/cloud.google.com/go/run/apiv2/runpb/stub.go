// Package runpb stands in for the real one: see left-out/README.md.
package runpb

type (
	GetWorkerPoolRequest struct{ Name string }
	WorkerPoolScaling    struct{ ManualInstanceCount *int32 }
	WorkerPool           struct {
		Name    string
		Scaling *WorkerPoolScaling
	}
	UpdateWorkerPoolRequest struct {
		WorkerPool *WorkerPool
		UpdateMask any
	}
)
