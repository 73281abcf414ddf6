package e2e_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk is a small file system of a test's own, to be filled and broken.
type disk struct {
	t      *testing.T
	path   string
	device string // its loop device; "" where it is in memory
	image  string
}

// mount runs a program that only root may run.
func (d *disk) mount(program string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("this test has to mount a small file system, which only root may do (not in every container): %s %s: %v\n%s",
			program, strings.Join(args, " "), err, out)
	}
}

// newDisk makes a folder that any account may enter, and unmounts what the test
// puts there when it ends.
func newDisk(t *testing.T) *disk {
	t.Helper()
	parent, err := os.MkdirTemp("/tmp", "mintage-disk-")
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{t: t, path: filepath.Join(parent, "disk"), image: filepath.Join(parent, "image")}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) { // mounted no more
			t.Errorf("unmount %s: %v", d.path, err)
			return
		}
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	// PostgreSQL's account may enter.
	for _, step := range []error{os.Chmod(parent, 0o755), os.Mkdir(d.path, 0o755)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	return d
}

// smallDisk is in memory and has so many MiB.
func smallDisk(t *testing.T, size string) *disk {
	t.Helper()
	d := newDisk(t)
	d.mount("mount", "-t", "tmpfs", "-o", "mode=0755,size="+size+"M", "tmpfs", d.path)
	return d
}

// fragileDisk is an ext4 file system that becomes read-only at its first error.
func fragileDisk(t *testing.T) *disk {
	t.Helper()
	d := newDisk(t)
	image, err := os.Create(d.image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(image.Truncate(128<<20), image.Close()); err != nil {
		t.Fatal(err)
	}
	d.mount("mkfs.ext4", "-q", d.image)
	d.attach()
	return d
}

func (d *disk) attach() {
	d.t.Helper()
	d.mount("mount", "-o", "loop,errors=remount-ro", d.image, d.path)
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if device, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, d.path+" ") {
			d.device = filepath.Base(device)
		}
	}
}

// fail has the kernel find an error in an ext4 file system: open files can no
// longer be written to either.
func (d *disk) fail() {
	d.t.Helper()
	if err := os.WriteFile("/sys/fs/ext4/"+d.device+"/trigger_fs_error", []byte("1"), 0); err != nil {
		d.t.Fatal(err)
	}
}

// repair checks the file system, which nobody may use any more, and mounts it
// again.
func (d *disk) repair() {
	d.t.Helper()
	d.mount("umount", d.path)
	out, err := exec.Command("e2fsck", "-y", d.image).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 1 { // 1: errors were found and repaired
		d.t.Fatalf("e2fsck: %v\n%s", err, out)
	}
	d.attach()
}

// remount makes a file system that nobody writes to read-only ("ro") or not ("rw").
func (d *disk) remount(mode string) {
	d.t.Helper()
	d.mount("mount", "-o", "remount,"+mode, d.path)
}

func (d *disk) ballast() string { return filepath.Join(d.path, "ballast") }

// fill uses up all that is free, also what is freed while it does.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.Create(d.ballast())
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatalf("the disk is not full: %v", err)
	}
}

func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// chown gives a folder to the owner of another.
func chown(t *testing.T, path string, like os.FileInfo) {
	t.Helper()
	owner, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("%s has no owner", like.Name())
	}
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
}
