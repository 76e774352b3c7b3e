//go:build faults && linux

// Command faultfs shows a directory at a mount point, with faults:
//
//	faultfs SOURCE MOUNTPOINT RULES
//
// RULES is a file that is read before every call; a line is a rule:
//
//	OP FAULT [NAME]
//
// OP is lookup, getattr, open, read or readdir. FAULT is the number of an
// errno, "delay:MILLISECONDS", or "hang": then the call is not answered until
// the rule is gone, and no interrupt ends it, as on a hard NFS mount. With NAME
// the rule is about entries of that name and what lies below them. No file is no
// rule.
//
// It says "mounted" on stdout and serves until it is killed or unmounted.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "faultfs:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: faultfs SOURCE MOUNTPOINT RULES")
	}
	source, target, rules := args[0], args[1], rulesFile(args[2])
	var st syscall.Stat_t
	if err := syscall.Stat(source, &st); err != nil {
		return err
	}
	root := &fs.LoopbackRoot{Path: source, Dev: st.Dev}
	top := &node{&fs.LoopbackNode{RootData: root}, rules}
	root.RootNode = top
	// Without timeouts the kernel remembers nothing, and every look comes here.
	server, err := fs.Mount(target, top, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMount: true, FsName: source, Name: "faultfs", DisableXAttrs: true,
	}})
	if err != nil {
		return fmt.Errorf("mount %s: %w", target, err)
	}
	fmt.Println("mounted")
	server.Wait()
	return nil
}

// rulesFile is the path of the rules.
type rulesFile string

// suffer does what a rule says about a call and returns its errno; 0 is that
// the call is to be made.
func (f rulesFile) suffer(op, path string) syscall.Errno {
	fault := f.find(op, path)
	if ms, delayed := strings.CutPrefix(fault, "delay:"); delayed {
		n, err := strconv.Atoi(ms)
		if err != nil {
			return syscall.EINVAL
		}
		time.Sleep(time.Duration(n) * time.Millisecond)
		return 0
	}
	for fault == "hang" {
		time.Sleep(20 * time.Millisecond)
		fault = f.find(op, path)
	}
	if fault == "" {
		return 0
	}
	n, err := strconv.Atoi(fault)
	if err != nil {
		return syscall.EINVAL
	}
	return syscall.Errno(n)
}

func (f rulesFile) find(op, path string) string {
	text, err := os.ReadFile(string(f))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == op && (len(words) == 2 || slices.Contains(strings.Split(path, "/"), words[2])) {
			return words[1]
		}
	}
	return ""
}

// node is a file or directory of the source.
type node struct {
	*fs.LoopbackNode
	rules rulesFile
}

func (n *node) WrapChild(_ context.Context, child fs.InodeEmbedder) fs.InodeEmbedder {
	below, ok := child.(*fs.LoopbackNode)
	if !ok {
		return child
	}
	return &node{below, n.rules}
}

func (n *node) path() string { return n.Path(nil) }

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if errno := n.rules.suffer("lookup", n.path()+"/"+name); errno != 0 {
		return nil, errno
	}
	return n.LoopbackNode.Lookup(ctx, name, out)
}

func (n *node) Getattr(ctx context.Context, f fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if errno := n.rules.suffer("getattr", n.path()); errno != 0 {
		return errno
	}
	return n.LoopbackNode.Getattr(ctx, f, out)
}

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.rules.suffer("open", n.path()); errno != 0 {
		return nil, 0, errno
	}
	f, fuseFlags, errno := n.LoopbackNode.Open(ctx, flags)
	return f, fuseFlags | fuse.FOPEN_DIRECT_IO, errno // every read comes here
}

func (n *node) Read(ctx context.Context, f fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if errno := n.rules.suffer("read", n.path()); errno != 0 {
		return nil, errno
	}
	file, ok := f.(fs.FileReader)
	if !ok {
		return nil, syscall.EBADF
	}
	return file.Read(ctx, dest, off)
}

func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.rules.suffer("readdir", n.path()); errno != 0 {
		return nil, 0, errno
	}
	return n.LoopbackNode.OpendirHandle(ctx, flags)
}
