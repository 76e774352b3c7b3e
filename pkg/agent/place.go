package agent

// FileID is a file's identity on this machine at this moment. It does not
// survive a remount, so it is compared only within one process or together
// with other evidence.
type FileID struct{ Dev, Ino uint64 }

// IsZero reports that the identity is not known.
func (f FileID) IsZero() bool { return f == FileID{} }

// Mount identifies the mounted file system that covers a path: the fields of
// /proc/self/mountinfo that survive a reboot, and f_fsid of statfs. Device
// numbers are left out: they change across remounts and differ per btrfs
// subvolume.
type Mount struct {
	Point  string `json:"point"`
	Type   string `json:"type"`
	Source string `json:"source"`
	Root   string `json:"root"`
	FSID   string `json:"fsid"`
}

// IsZero reports that no mount is known.
func (m Mount) IsZero() bool { return m == Mount{} }
