// Package together runs work on several goroutines, and hands a panic of one of them on to who waits: on a goroutine of its own it would take the
// process down past everybody's last resort.
package together

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Panic is what Run panics with: a worker's panic, and where it happened.
type Panic struct {
	Value any
	stack []byte
}

func (p *Panic) Error() string { return fmt.Sprint(p.Value) }

// Stack is the worker's stack.
func (p *Panic) Stack() []byte { return p.stack }

// Run calls f(0) to f(n-1), each on a goroutine of its own, and waits for all. If some panic, it panics with the first *Panic once all have ended.
func Run(n int, f func(i int)) {
	var wg sync.WaitGroup
	var once sync.Once
	var first *Panic
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { first = &Panic{r, debug.Stack()} })
				}
			}()
			f(i)
		}()
	}
	wg.Wait()
	if first != nil {
		panic(first)
	}
}
