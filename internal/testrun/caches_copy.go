//go:build unix

package testrun

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// copyFile copies a file with its mode and times, by sharing its blocks where the file system can.
func copyFile(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil // a cache can do without it
		}
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if cloneFile(out, in) != nil {
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
	return errors.Join(out.Chmod(info.Mode().Perm()), os.Chtimes(to, info.ModTime(), info.ModTime()))
}
