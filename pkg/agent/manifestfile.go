package agent

import "io/fs"

// ManifestFile is a manifest as somebody reads it who is going to write it.
type ManifestFile struct {
	// Path is the real path of the project directory.
	Path string
	// Look is what a probe says: Present, Invalid, FileMissing or Unknown.
	Look Look
	// Data are the bytes that were read; nil where there is no file, or it could
	// not be read.
	Data []byte
	// Mode is the file's, permission bits only; 0 where there is none.
	Mode fs.FileMode
	// DorkDir: .dork is there, as a directory.
	DorkDir bool
}

// PathError says that a path is no project directory, and why: something that
// the user has to put right.
type PathError struct {
	Path, Problem string
}

// Error reads "/x does not exist".
func (e *PathError) Error() string { return e.Path + " " + e.Problem }
