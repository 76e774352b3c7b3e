package sources

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
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
	mtime int64  // ns
	ctime int64  // ns
	dev   uint32 // as the kernel keeps it: 12 bits of major, 20 of minor
	size  uint32 // at most; 0 for a directory: it says nothing that times do not
}

// minorBits are those of a device number in the kernel.
const minorBits = 20

func stampOf(st *unix.Statx_t) stamp {
	s := stamp{
		ino:   st.Ino,
		mtime: st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec),
		ctime: st.Ctime.Sec*1e9 + int64(st.Ctime.Nsec),
		dev:   st.Dev_major<<minorBits | st.Dev_minor,
	}
	if kindOf(st) != unix.S_IFDIR {
		s.size = uint32(min(st.Size, math.MaxUint32))
	}
	return s
}

// settled reports whether an equal stamp in a later look proves that nothing
// changed. Times in the future never settle.
func (s stamp) settled(now time.Time) bool {
	edge := now.Add(-racyWindow).UnixNano()
	return s.mtime <= edge && s.ctime <= edge
}

// sum is a hash of the stamp, never 0: where there are as many as agents.
func (s stamp) sum() uint64 {
	var b [32]byte
	binary.NativeEndian.PutUint64(b[0:], s.ino)
	binary.NativeEndian.PutUint64(b[8:], uint64(s.mtime))
	binary.NativeEndian.PutUint64(b[16:], uint64(s.ctime))
	binary.NativeEndian.PutUint32(b[24:], s.dev)
	binary.NativeEndian.PutUint32(b[28:], s.size)
	return max(1, xxhash.Sum64(b[:]))
}

func (s stamp) id() agent.FileID {
	return agent.FileID{Dev: unix.Mkdev(s.dev>>minorBits, s.dev&(1<<minorBits-1)), Ino: s.ino}
}
