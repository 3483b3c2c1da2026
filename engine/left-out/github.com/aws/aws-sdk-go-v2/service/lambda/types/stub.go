// Package types stands in for the real one: see left-out/README.md.
package types

type InvocationType string

const InvocationTypeEvent InvocationType = "Event"
