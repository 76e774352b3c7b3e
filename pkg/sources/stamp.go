package sources

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// racyWindow is how old a file's times must be before an equal stamp proves
// equal content, as in git. A write stamps the file before it copies the data,
// and file systems round times to as much as two seconds: shorter misses
// changes for ever, longer reads a fresh file more often.
const racyWindow = 2 * time.Second

// stamp is what tells one state of a file or directory from another. Inode
// and ctime are needed: the mtime alone misses half of all replacements by
// rename, and a writer can set it back.
type stamp struct {
	ino   uint64
	mtime int64 // ns
	ctime int64 // ns
	size  int64 // 0 for a directory: its size says nothing that its times do not
	dev   uint64
}

func stampOf(st *unix.Statx_t) stamp {
	s := stamp{
		ino:   st.Ino,
		mtime: st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec),
		ctime: st.Ctime.Sec*1e9 + int64(st.Ctime.Nsec),
		dev:   unix.Mkdev(st.Dev_major, st.Dev_minor),
	}
	if kindOf(st) != unix.S_IFDIR {
		s.size = int64(st.Size)
	}
	return s
}

// settled reports whether an equal stamp in a later look proves that nothing
// changed. Times in the future never settle.
func (s stamp) settled(now time.Time) bool {
	edge := now.Add(-racyWindow).UnixNano()
	return s.mtime <= edge && s.ctime <= edge
}

func (s stamp) id() agent.FileID { return agent.FileID{Dev: s.dev, Ino: s.ino} }
