// Package v1 stands in for the real one: see left-out/README.md.
package v1

type (
	GetOptions    struct{}
	UpdateOptions struct{}
)
