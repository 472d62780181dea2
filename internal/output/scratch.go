package output

import "os"

// Scratch is a file for what does not fit in memory, in the system's folder for such files. It has no name there once it is open, where the system
// allows that, so that nothing is left of it however the program ends; Close removes it else.
func Scratch() (*ScratchFile, error) {
	f, err := os.CreateTemp("", "shoal-*.tmp")
	if err != nil {
		return nil, err
	}
	return &ScratchFile{File: f, gone: os.Remove(f.Name()) == nil}, nil
}

// ScratchFile is what Scratch gives.
type ScratchFile struct {
	*os.File
	gone bool
}

// Close closes the file, which is gone then.
func (f *ScratchFile) Close() error {
	err := f.File.Close()
	if !f.gone {
		if no := os.Remove(f.Name()); err == nil {
			err = no
		}
	}
	return err
}
