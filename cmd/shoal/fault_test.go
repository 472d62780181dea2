package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAPanicIsSaidToBeAFaultOfShoal(t *testing.T) {
	for _, debug := range []string{"", "1"} {
		t.Setenv(debugVariable, debug)
		var b bytes.Buffer
		code := 0
		func() {
			defer lastResort(&b, func(c int) { code = c })
			panic("slot 9\x1b of\nnothing")
		}()
		out := b.String()
		if code != exitError || !strings.HasPrefix(out, `shoal: this is a fault of shoal, not of your input: slot 9\x1b of\nnothing`+"\n") {
			t.Errorf("exit %d: %s", code, out)
		}
		if stack := strings.Contains(out, "fault_test.go:"); stack != (debug != "") {
			t.Errorf("with %s=%q the stack is shown: %v", debugVariable, debug, stack)
		}
	}
	var b bytes.Buffer
	lastResort(&b, func(int) { t.Error("nothing happened, and it ends the process") })
	if b.Len() > 0 {
		t.Errorf("nothing happened: %s", b.String())
	}
}
