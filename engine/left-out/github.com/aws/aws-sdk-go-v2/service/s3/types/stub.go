// Package types stands in for the real one: see left-out/README.md.
package types

type (
	NoSuchBucket struct{}
	NoSuchKey    struct{}
	NotFound     struct{}
	Object       struct{ Key *string }
	CommonPrefix struct{ Prefix *string }
)

func (*NoSuchBucket) Error() string { return "no such bucket" }
func (*NoSuchKey) Error() string    { return "no such key" }
func (*NotFound) Error() string     { return "not found" }
