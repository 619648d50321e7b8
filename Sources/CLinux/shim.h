// What Swift's Glibc module lacks: the GNU and Linux part of the C library, variadic calls, and
// macros that are not plain numbers. Each wrapper is named after the call it stands for.

#ifndef HOLDFAST_CLINUX_H
#define HOLDFAST_CLINUX_H

// Types come from the module that Swift's Glibc is made of, so that both name the same ones. It is
// built without _GNU_SOURCE, under which some types look different: what that would add is declared
// here instead, with the numbers of the kernel's interface.
#pragma clang module import SwiftGlibc

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/random.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

extern int renameat2(int, const char *, int, const char *, unsigned int);
extern int pipe2(int *, int);
extern int syncfs(int);
extern ssize_t getdents64(int, void *, size_t);
extern int setfsuid(uid_t);
extern int setfsgid(gid_t);
extern int pthread_setname_np(pthread_t, const char *);
extern char **environ;

// Files.

static const int HOLD_O_PATH = 010000000;
static const int HOLD_O_NOATIME = 01000000;
static const int HOLD_O_TMPFILE = 020200000;
static const int HOLD_SEEK_DATA = 3;
static const int HOLD_SEEK_HOLE = 4;

static inline int hold_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}

static inline int hold_openat(int directory, const char *name, int flags, mode_t mode) {
    return openat(directory, name, flags, mode);
}

/// fcntl(F_DUPFD_CLOEXEC)
static inline int hold_duplicate(int descriptor) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

static inline int hold_syncfs(int descriptor) {
    return syncfs(descriptor);
}

static inline int hold_pipe2(int ends[2], int flags) {
    return pipe2(ends, flags);
}

static inline int hold_rename_exclusively(
    int old_directory, const char *old_name, int new_directory, const char *new_name) {
    return renameat2(old_directory, old_name, new_directory, new_name, 1 /* RENAME_NOREPLACE */);
}

/// utimensat() that leaves the time of last access alone and never follows a link.
static inline int hold_set_modified(int directory, const char *name, struct timespec modified) {
    struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
    return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

/// futimens() that leaves the time of last access alone.
static inline int hold_set_modified_of_open(int file, struct timespec modified) {
    struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
    return futimens(file, times);
}

static inline ssize_t hold_getdents64(int directory, void *buffer, size_t size) {
    return getdents64(directory, buffer, size);
}

// Watching directories.

extern int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

static inline int hold_poll(struct pollfd *files, nfds_t count, int64_t nanoseconds) {
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(files, count, nanoseconds < 0 ? NULL : &limit, NULL);
}

static inline int hold_inotify(void) {
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static inline int hold_watch_directory(int notices, const char *path) {
    return inotify_add_watch(
        notices, path,
        IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR);
}

// Sockets of this host. A name that begins with '@' is an abstract one, which no file stands for.

static inline socklen_t hold_local_address(
    struct sockaddr_un *address, const char *name, size_t size) {
    if (size == 0 || size >= sizeof address->sun_path) return 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, size);
    if (name[0] == '@') address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

/// Makes a stream socket: listening at the name, or connected to it.
static inline int hold_local_stream(const char *name, size_t size, int listens) {
    struct sockaddr_un address;
    socklen_t length = hold_local_address(&address, name, size);
    if (length == 0) { errno = ENAMETOOLONG; return -1; }
    int file = socket(AF_UNIX, SOCK_STREAM | 02000000 /* SOCK_CLOEXEC */, 0);
    if (file < 0) return -1;
    int result = listens
        ? bind(file, (struct sockaddr *)&address, length) || listen(file, 16)
        : connect(file, (struct sockaddr *)&address, length);
    if (result == 0) return file;
    int failure = errno;
    close(file);
    errno = failure;
    return -1;
}

/// Sends one datagram to a name.
static inline int hold_local_send(
    const char *name, size_t size, const void *bytes, size_t count) {
    struct sockaddr_un address;
    socklen_t length = hold_local_address(&address, name, size);
    if (length == 0) { errno = ENAMETOOLONG; return -1; }
    int file = socket(AF_UNIX, SOCK_DGRAM | 02000000 /* SOCK_CLOEXEC */, 0);
    if (file < 0) return -1;
    ssize_t sent = sendto(
        file, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    int failure = errno;
    close(file);
    errno = failure;
    return sent < 0 ? -1 : 0;
}

static inline int hold_accept(int listener) {
    int file = accept(listener, NULL, NULL);
    if (file >= 0) fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
}

/// The process at the other end, as it was when it connected or listened.
static inline int hold_peer(int file, pid_t *process, uid_t *user) {
    struct { pid_t pid; uid_t uid; gid_t gid; } credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(file, SOL_SOCKET, 17 /* SO_PEERCRED */, &credentials, &length) != 0) return -1;
    *process = credentials.pid;
    *user = credentials.uid;
    return 0;
}

static inline int hold_limit_waits(int file, int64_t seconds) {
    struct timeval limit = {seconds, 0};
    return setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)
        || setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) ? -1 : 0;
}

// Device numbers: the macros of <sys/sysmacros.h>.

static inline uint32_t hold_major(uint64_t device) {
    return major(device);
}

static inline uint32_t hold_minor(uint64_t device) {
    return minor(device);
}

static inline uint64_t hold_makedev(uint32_t major_number, uint32_t minor_number) {
    return makedev(major_number, minor_number);
}

// Extended attributes.

static inline ssize_t hold_flistxattr(int descriptor, char *list, size_t size) {
    return flistxattr(descriptor, list, size);
}

static inline ssize_t hold_llistxattr(const char *path, char *list, size_t size) {
    return llistxattr(path, list, size);
}

static inline ssize_t hold_fgetxattr(int descriptor, const char *name, void *value, size_t size) {
    return fgetxattr(descriptor, name, value, size);
}

static inline ssize_t hold_lgetxattr(
    const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}

static inline int hold_fsetxattr(
    int descriptor, const char *name, const void *value, size_t size) {
    return fsetxattr(descriptor, name, value, size, 0);
}

static inline int hold_lsetxattr(
    const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}

static inline int hold_fremovexattr(int descriptor, const char *name) {
    return fremovexattr(descriptor, name);
}

static inline int hold_lremovexattr(const char *path, const char *name) {
    return lremovexattr(path, name);
}

// Processes, threads, memory.

static inline ssize_t hold_getrandom(void *buffer, size_t size) {
    return getrandom(buffer, size, 0);
}

/// The environment as posix_spawn wants it; Swift refuses the global variable as a shared one.
static inline char **hold_environment(void) {
    return environ;
}

/// Gives this thread, and no other, the rights of a user at files; root only. Source: setfsuid(2).
static inline void hold_act_as(uid_t user, gid_t group) {
    // Root's way back comes first: without its fsuid the group could still be changed, but the
    // order must not matter.
    if (user == 0) {
        setfsuid(user);
        setfsgid(group);
    } else {
        setfsgid(group);
        setfsuid(user);
    }
}

static inline int hold_name_this_thread(const char *name) {
    return pthread_setname_np(pthread_self(), name);
}

/// Installs a handler that the first signal takes away again, unless the signal is ignored.
/// Returns 1 when installed, 0 when the signal stays ignored, -1 with errno.
static inline int hold_catch_once(
    int number, void (*handler)(int), struct sigaction *previous) {
    if (sigaction(number, NULL, previous) != 0) {
        return -1;
    }
    if (previous->sa_handler == SIG_IGN) {
        return 0;
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)0x80000000u /* SA_RESETHAND */};
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0 ? 1 : -1;
}

/// Keeps the allocator from holding on to large freed buffers: blocks of `bytes` and more come
/// from mmap, the heap's end is given back from there on, and two arenas serve all threads.
static inline void hold_tune_allocator(long bytes) {
    mallopt(M_MMAP_THRESHOLD, (int)bytes);
    mallopt(M_TRIM_THRESHOLD, (int)bytes);
    mallopt(M_ARENA_MAX, 2);
}

#endif
