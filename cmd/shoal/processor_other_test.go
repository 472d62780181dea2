//go:build !unix

package main

import "time"

var began = time.Now()

// processorTime is the clock where systems have no better.
func processorTime() time.Duration { return time.Since(began) }
