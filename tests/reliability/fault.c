/* Preloaded into the program under test: counts the operations that change a file below one folder,
   and lets something happen at one of them.

   FAULT_UNDER    the folder
   FAULT_LOG      a file that gets a line per operation: its name and its path
   FAULT_AT       the number of the operation, from 1
   FAULT_DO       `kill`: the process is killed in its place; `half`: half of a write is done, or all of
                  any other operation, then the process is killed; else the errno that it fails with
   FAULT_LASTING  not empty: everything that creates or writes fails from then on; removing still works
   FAULT_FLOCK    the errno that every flock fails with

   What is preloaded calls the kernel itself, so that it never calls what it replaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum outcome { GO_ON, HALF, FAIL };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long operations;

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

static void write_log(const char *name, const char *path) {
    const char *log = getenv("FAULT_LOG");
    if (!log) return;
    char line[4200];
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0) return;
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

/* Counts the operation `name` on `path`, and says what becomes of it. */
static enum outcome count(const char *name, const char *path, int removes) {
    const char *under = getenv("FAULT_UNDER"), *at = getenv("FAULT_AT"), *what = getenv("FAULT_DO");
    if (!under || !path || strncmp(path, under, strlen(under))) return GO_ON;
    pthread_mutex_lock(&mutex);
    long number = ++operations;
    write_log(name, path);
    pthread_mutex_unlock(&mutex);
    if (!at || !what || number < atol(at)) return GO_ON;
    if (number == atol(at)) {
        if (!strcmp(what, "kill")) die();
        if (!strcmp(what, "half")) return HALF;
    } else {
        const char *lasting = getenv("FAULT_LASTING");
        if (removes || !lasting || !*lasting) return GO_ON;
    }
    errno = atoi(what);
    return errno ? FAIL : GO_ON;
}

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

/* The path of `name` in the directory `directory`. */
static const char *path_at(int directory, const char *name, char *buffer, size_t size) {
    if (directory == AT_FDCWD || name[0] == '/') return name;
    if (!path_of(directory, buffer, size)) return NULL;
    size_t length = strlen(buffer);
    snprintf(buffer + length, size - length, "/%s", name);
    return buffer;
}

/* Does `call` unless something else is to happen to this operation. */
#define OPERATION(type, name, path, removes, call)        \
    do {                                                  \
        enum outcome outcome = count(name, path, removes); \
        if (outcome == FAIL) return -1;                   \
        type result = (type)(call);                       \
        if (outcome == HALF) die();                       \
        return result;                                    \
    } while (0)

static int open_at(int directory, const char *name, int flags, mode_t mode) {
    char buffer[4096];
    if (!(flags & (O_CREAT | O_TRUNC))) return syscall(SYS_openat, directory, name, flags, mode);
    OPERATION(int, "open", path_at(directory, name, buffer, sizeof buffer), 0,
              syscall(SYS_openat, directory, name, flags, mode));
}

#define OPEN(name, ...)                                  \
    {                                                    \
        va_list rest;                                    \
        va_start(rest, flags);                           \
        mode_t mode = va_arg(rest, mode_t);              \
        va_end(rest);                                    \
        return open_at(__VA_ARGS__, name, flags, mode);  \
    }
int open(const char *name, int flags, ...) OPEN(name, AT_FDCWD)
int open64(const char *name, int flags, ...) OPEN(name, AT_FDCWD)
int openat(int directory, const char *name, int flags, ...) OPEN(name, directory)
int openat64(int directory, const char *name, int flags, ...) OPEN(name, directory)

ssize_t write(int file, const void *bytes, size_t size) {
    char buffer[4096];
    enum outcome outcome = count("write", path_of(file, buffer, sizeof buffer), 0);
    if (outcome == FAIL) return -1;
    ssize_t written = syscall(SYS_write, file, bytes, outcome == HALF ? size / 2 : size);
    if (outcome == HALF) die();
    return written;
}

ssize_t writev(int file, const struct iovec *parts, int many) {
    char buffer[4096];
    OPERATION(ssize_t, "writev", path_of(file, buffer, sizeof buffer), 0,
              syscall(SYS_writev, file, parts, many));
}

int fsync(int file) {
    char buffer[4096];
    OPERATION(int, "fsync", path_of(file, buffer, sizeof buffer), 0, syscall(SYS_fsync, file));
}

int fdatasync(int file) {
    char buffer[4096];
    OPERATION(int, "fdatasync", path_of(file, buffer, sizeof buffer), 0, syscall(SYS_fdatasync, file));
}

int rename(const char *from, const char *to) {
    OPERATION(int, "rename", to, 0, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int mkdir(const char *path, mode_t mode) {
    OPERATION(int, "mkdir", path, 0, syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

int unlink(const char *path) {
    OPERATION(int, "unlink", path, 1, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int rmdir(const char *path) {
    OPERATION(int, "rmdir", path, 1, syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}

int unlinkat(int directory, const char *name, int flags) {
    char buffer[4096];
    OPERATION(int, "unlinkat", path_at(directory, name, buffer, sizeof buffer), 1,
              syscall(SYS_unlinkat, directory, name, flags));
}

int flock(int file, int operation) {
    const char *refused = getenv("FAULT_FLOCK");
    if (refused) {
        errno = atoi(refused);
        return -1;
    }
    return syscall(SYS_flock, file, operation);
}
