package record

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// File keeps what does not fit in memory.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Tape keeps nodes. Put may be called by several goroutines; Get once the search has ended. The first error stays, and says that the tree is not
// whole.
type Tape struct {
	mu   sync.Mutex
	open func() (File, error)
	file File
	room int
	from int64  // what lies before is in the file
	mem  []byte // what lies behind
	err  error
	n    int
	root int64
}

// InMemory is how many bytes a tape keeps before it needs a file.
const InMemory = 4 << 20

// NewTape makes an empty one. open gives the file once room bytes are not enough, 0 for InMemory; where it is nil, more than that is an error.
func NewTape(room int, open func() (File, error)) *Tape {
	if room <= 0 {
		room = InMemory
	}
	return &Tape{open: open, room: room}
}

// A node begins with the numbers of its parts, 0 for none yet, and the length of what follows. Numbers are places on the tape, and 1.
const (
	linkBytes = 8
	headBytes = 2*linkBytes + 4
)

// Put adds the node of a part, hangs it where it belongs, in the place of what hung there, and gives its number. Once the tape is broken it keeps
// nothing.
func (t *Tape) Put(at Place, n Node) (number int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return 0
	}
	t.n++
	number = t.from + int64(len(t.mem)) + 1
	if at.Of == 0 {
		t.root = number
	} else {
		t.link(at.Of-1+int64(at.Side)*linkBytes, number)
	}
	begin := len(t.mem)
	t.mem = n.encode(append(t.mem, make([]byte, headBytes)...))
	binary.LittleEndian.PutUint32(t.mem[begin+2*linkBytes:], uint32(len(t.mem)-begin-headBytes))
	if len(t.mem) > t.room && t.err == nil {
		t.err = t.flush()
	}
	return number
}

func (t *Tape) link(at, number int64) {
	if at >= t.from {
		binary.LittleEndian.PutUint64(t.mem[at-t.from:], uint64(number))
		return
	}
	if _, err := t.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(number)), at); err != nil {
		t.err = err
	}
}

func (t *Tape) flush() (err error) {
	if t.file == nil {
		if t.open == nil {
			return fmt.Errorf("record: the tree takes more than %d bytes, and there is no file for it", t.room)
		}
		if t.file, err = t.open(); err != nil {
			return err
		}
	}
	if _, err := t.file.WriteAt(t.mem, t.from); err != nil {
		return err
	}
	t.from, t.mem = t.from+int64(len(t.mem)), t.mem[:0]
	return nil
}

// Get is the node with a number, and the numbers of its parts, 0 for none.
func (t *Tape) Get(number int64) (n Node, parts [2]int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return n, parts, t.err
	}
	head, err := t.read(number-1, headBytes)
	if err != nil {
		return n, parts, err
	}
	for i := range parts {
		parts[i] = int64(binary.LittleEndian.Uint64(head[i*linkBytes:]))
	}
	body, err := t.read(number-1+headBytes, int(binary.LittleEndian.Uint32(head[2*linkBytes:])))
	if err != nil {
		return n, parts, err
	}
	n, err = decode(body)
	return n, parts, err
}

// read gives n bytes, which are not changed.
func (t *Tape) read(at int64, n int) ([]byte, error) {
	if at < 0 || n < 0 || at+int64(n) > t.from+int64(len(t.mem)) {
		return nil, errBroken
	}
	if at >= t.from {
		return t.mem[at-t.from:][:n], nil
	}
	b := make([]byte, n)
	if _, err := t.file.ReadAt(b, at); err != nil {
		return nil, err
	}
	return b, nil
}

// Root is the number of the node of the whole box; 0 where there is none.
func (t *Tape) Root() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.root
}

// Nodes is how many there are.
func (t *Tape) Nodes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// Close gives the file back. What was kept is gone.
func (t *Tape) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.file
	t.err, t.file, t.mem = errBroken, nil, nil
	if f == nil {
		return nil
	}
	return f.Close()
}
