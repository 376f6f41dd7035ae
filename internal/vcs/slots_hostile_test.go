package vcs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var bg = context.Background()

// hostile are things that a test run may leave behind.
var hostile = map[string]func(dir string) error{
	"files and directories": func(dir string) error {
		return errors.Join(os.MkdirAll(dir+"/build/x/y", 0o777), os.WriteFile(dir+"/build/x/y/z", nil, 0o600), os.WriteFile(dir+"/a.log", nil, 0o666), os.Mkdir(dir+"/empty", 0o777), os.WriteFile(dir+"/d/b.log", nil, 0o666))
	},
	"changed content with the old time": func(dir string) error {
		info, err := os.Stat(dir + "/README")
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(dir+"/README", []byte("READ ME\n"), 0), os.Chtimes(dir+"/README", info.ModTime(), info.ModTime()))
	},
	"times": func(dir string) error {
		old := time.Unix(0, 0)
		return errors.Join(os.Chtimes(dir+"/d/e/f.txt", old, old), os.Chtimes(dir+"/d/e", old, old), os.Chtimes(dir+"/d", time.Now().AddDate(9, 0, 0), time.Now().AddDate(9, 0, 0)), os.Chtimes(dir, old, old))
	},
	"another file in its place, and the old times": func(dir string) error {
		in, err := os.Stat(dir + "/d/e")
		if err != nil {
			return err
		}
		is, err := os.Stat(dir + "/d/e/g.txt")
		if err != nil {
			return err
		}
		return errors.Join(
			os.WriteFile(dir+"/d/e/x", []byte("G\n"), 0o644), os.Rename(dir+"/d/e/x", dir+"/d/e/g.txt"),
			os.Chtimes(dir+"/d/e/g.txt", is.ModTime(), is.ModTime()), os.Chtimes(dir+"/d/e", in.ModTime(), in.ModTime()),
		)
	},
	"written through a mapping": func(dir string) error {
		f, err := os.OpenFile(dir+"/d/e/f.txt", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := syscall.Mmap(int(f.Fd()), 0, 4, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
		if err != nil {
			return err
		}
		if data[0] == 0 { // a page that was read before need not be faulted in for writing
			return errors.New("an empty page")
		}
		data[0] = 'L'
		return syscall.Munmap(data)
	},
	"read-only directories": func(dir string) error {
		return errors.Join(os.MkdirAll(dir+"/locked/in", 0o777), os.WriteFile(dir+"/locked/in/f", nil, 0o400), os.Chmod(dir+"/locked/in", 0o500), os.Chmod(dir+"/locked", 0), os.Chmod(dir+"/d/e", 0), os.Chmod(dir+"/d", 0o555), os.Chmod(dir, 0o555))
	},
	"modes": func(dir string) error {
		return errors.Join(os.Chmod(dir+"/README", 0o666|os.ModeSetuid), os.Chmod(dir+"/run.sh", 0o644), os.Chmod(dir+"/d", 0o777|os.ModeSticky), os.Chmod(dir+"/d/e", 0o2775), os.Chmod(dir+"/d/e/g.txt", 0))
	},
	"git inside": func(dir string) error {
		var errs []error
		for _, in := range []string{dir + "/nested", dir + "/sub", dir + "/deep/sub", dir + "/d"} {
			errs = append(errs, os.MkdirAll(in, 0o777), Git{Dir: in + "/.git", WorkTree: in}.Run(bg, "init", "--quiet", in), os.WriteFile(in+"/.git/hooks-x", nil, 0o666), os.WriteFile(in+"/x", nil, 0o666))
		}
		return errors.Join(errs...)
	},
	"hooks, configuration, excludes, flags": func(dir string) error {
		g := Git{Dir: dir + "/.git", WorkTree: dir}
		trap := "#!/bin/sh\necho trap > trapped\n"
		return errors.Join(
			os.MkdirAll(dir+"/.git/hooks", 0o777), os.WriteFile(dir+"/.git/hooks/post-checkout", []byte(trap), 0o777),
			os.WriteFile(dir+"/.git/hooks/post-index-change", []byte(trap), 0o777),
			os.WriteFile(dir+"/.git/info-exclude", []byte("*\n"), 0o666),
			g.Run(bg, "config", "core.fsmonitor", "touch trapped"), g.Run(bg, "config", "core.sparseCheckout", "true"), g.Run(bg, "config", "core.excludesFile", dir+"/.git/info-exclude"),
			g.Run(bg, "config", "filter.lfs.smudge", "echo trapped"), g.Run(bg, "sparse-checkout", "set", "d"), os.WriteFile(dir+"/stay", nil, 0o666),
			g.Run(bg, "update-index", "--assume-unchanged", "d/h.txt"), os.WriteFile(dir+"/d/h.txt", []byte("H\n"), 0o666),
		)
	},
	"commits": func(dir string) error {
		g := Git{Dir: dir + "/.git", WorkTree: dir, Env: []string{"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@x", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@x"}}
		return errors.Join(os.WriteFile(dir+"/README", []byte("mine\n"), 0o666), g.Run(bg, "commit", "--quiet", "--all", "--message=x"), g.Run(bg, "tag", "v1"), g.Run(bg, "gc", "--quiet", "--prune=now"))
	},
	"git is gone": func(dir string) error {
		return errors.Join(os.RemoveAll(dir+"/.git"), os.Symlink("/etc", dir+"/.git"))
	},
	"git is a file": func(dir string) error {
		return errors.Join(os.RemoveAll(dir+"/.git"), os.WriteFile(dir+"/.git", []byte("gitdir: /etc\n"), 0o666))
	},
	"git cannot be deleted": func(dir string) error { return errors.Join(os.Chmod(dir+"/.git/objects", 0), os.Chmod(dir+"/.git", 0)) },
	"sockets and pipes": func(dir string) error {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		here, _ := os.Getwd()
		short, err := filepath.Rel(here, dir+"/s")
		if err != nil || len(short) > 100 {
			short = dir + "/s"
		}
		return errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: short}), syscall.Close(fd),
			syscall.Mkfifo(dir+"/pipe", 0o666), os.Remove(dir+"/README"), syscall.Mkfifo(dir+"/README", 0o666))
	},
	"files, directories and links swapped": func(dir string) error {
		return errors.Join(
			os.Remove(dir+"/README"), os.MkdirAll(dir+"/README/x", 0o777), os.RemoveAll(dir+"/d"), os.Symlink("/etc", dir+"/d"),
			os.Remove(dir+"/link"), os.WriteFile(dir+"/link", []byte("README"), 0o666), os.Remove(dir+"/sub"), os.Symlink("..", dir+"/sub"),
			os.Remove(dir+"/run.sh"), os.Symlink("README", dir+"/run.sh"), os.Remove(dir+"/deep/sub"),
		)
	},
	"hard links": func(dir string) error {
		return errors.Join(os.Link(dir+"/README", dir+"/again"), os.Remove(dir+"/d/h.txt"), os.Link(dir+"/README", dir+"/d/h.txt"))
	},
	"everything is gone": func(dir string) error {
		entries, err := os.ReadDir(dir)
		for _, entry := range entries {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
		return err
	},
	"the root is gone":     func(dir string) error { return os.RemoveAll(dir) },
	"the root is a link":   func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Symlink("/etc", dir)) },
	"very deep, very long": func(dir string) error { return deep(dir, 300) },
	"names that look like options": func(dir string) error {
		return errors.Join(os.WriteFile(dir+"/-rf", nil, 0o666), os.WriteFile(dir+"/a\nb", nil, 0o666), os.WriteFile(dir+"/\xff", nil, 0o666))
	},
}

// deep makes directories whose path is longer than the system takes in one piece.
func deep(dir string, levels int) error {
	root, err := os.OpenRoot(dir)
	for range levels {
		if err != nil {
			return err
		}
		if err = root.Mkdir(strings.Repeat("d", 50), 0o777); err != nil {
			return err
		}
		inner, openErr := root.OpenRoot(strings.Repeat("d", 50))
		root.Close()
		root, err = inner, openErr
	}
	return errors.Join(err, root.Close())
}
