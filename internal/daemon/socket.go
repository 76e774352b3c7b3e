package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// socket is the unix socket on which this user gives orders.
type socket struct {
	net.Listener
	path string
	log  *zap.Logger
	made os.FileInfo // of the file that we made, to remove no other
}

// errSocketServed: another daemon answers on the socket.
var errSocketServed = errors.New("another daemon answers on it")

// listenSocket makes the socket, mode 0600. It is called with the index's lock
// held: whatever of ours still lies at path is stale, unless somebody answers
// there, which is the daemon of another index.
func listenSocket(path string, log *zap.Logger) (*socket, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := clearSocket(path); err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	short, done, err := shortSocketPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false) // by path, so it could hit another's
	s := &socket{Listener: l, path: path, log: log}
	if err = os.Chmod(path, 0o600); err == nil {
		s.made, err = os.Lstat(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("socket %s: %w", path, err), l.Close())
	}
	return s, nil
}

// clearSocket removes a socket that nobody serves. Anything that is not a
// socket stays and is an error.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("something that is not a socket is in the way: move it, or name another place with --socket")
	}
	if conn, err := dialSocket(context.Background(), path); err == nil {
		_ = conn.Close() // it was only a question
		return errSocketServed
	}
	return os.Remove(path)
}

// dialWithin bounds a connection to the socket: it is local, and a full backlog
// means that the daemon hangs.
const dialWithin = 2 * time.Second

func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	short, done, err := shortSocketPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	d := net.Dialer{Timeout: dialWithin}
	return d.DialContext(ctx, "unix", short)
}

// Accept returns connections of this user and closes every other.
func (s *socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		unixConn, ok := conn.(*net.UnixConn)
		if !ok {
			return conn, nil
		}
		err = samePeer(unixConn)
		if err == nil {
			return conn, nil
		}
		s.log.Warn("refused a connection to the socket", zap.Error(errors.Join(err, conn.Close())))
	}
}

// Close stops listening and removes the file, if it is still ours.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if now, e := os.Lstat(s.path); e == nil && os.SameFile(now, s.made) {
		_ = os.Remove(s.path)
	}
	return err
}
