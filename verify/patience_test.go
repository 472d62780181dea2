package verify

import (
	"testing"
	"time"
)

// patiently asks a test's questions with the time that a quiet machine needs, and where they show too little again with 4, 16 and 64 times as
// much: what a search comes to by its deadline is also the machine's doing, and that of what else runs there. Each turn counts anew, so that
// what it takes to show enough is the same at any speed. once is told how many times the time there is, says what is wrong as ever, and
// returns what shows too little; that is wrong only where more time does not help, or where the test has none left.
func patiently(t *testing.T, once func(t *testing.T, slow time.Duration) (little string)) {
	t.Helper()
	for slow := time.Duration(1); ; slow *= 4 {
		start := time.Now()
		little := once(t, slow)
		if little == "" || t.Failed() {
			return
		}
		end, ok := t.Deadline()
		if slow == 64 || ok && time.Until(end) < 5*time.Since(start) {
			t.Errorf("with %d times a quiet machine's time: %s", slow, little)
			return
		}
		t.Logf("with %d times a quiet machine's time: %s", slow, little)
	}
}

// hangs is when a question is given up that every machine is to answer, however slow it is.
const hangs = 10 * time.Minute
