// libsqlite3, and what Swift cannot call by itself: methods of a file's virtual table, and
// the destructor constants, which are casts.
#ifndef HOLDFAST_CSQLITE_H
#define HOLDFAST_CSQLITE_H

#include <sqlite3.h>
#include <string.h>

// The default VFS, with two differences. Names are used as they are given: the default one
// replaces every link on the way by where it leads, so that "/proc/self/fd/N/name" would be a path
// like any other. And no super-journal is opened: a rollback ends in the removal of the
// super-journal that the journal names (pager.c, pager_delsuper), which may be any file.
#define HOLDFAST_EXACT_VFS "holdfast-exact"

static inline int holdfast_exact_name(sqlite3_vfs *vfs, const char *name, int size, char *copy) {
    (void)vfs;
    size_t length = strlen(name);
    if (length + 1 > (size_t)size) return SQLITE_CANTOPEN;
    memcpy(copy, name, length + 1);
    return SQLITE_OK;
}

static inline int holdfast_exact_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given) {
    if (flags & SQLITE_OPEN_SUPER_JOURNAL) {
        file->pMethods = 0;
        return SQLITE_CANTOPEN;
    }
    sqlite3_vfs *base = sqlite3_vfs_find(0);
    (void)vfs;
    return base->xOpen(base, name, file, flags, given);
}

// Makes the VFS known under its name, once a process.
static inline int holdfast_register_exact(void) {
    static sqlite3_vfs exact;
    if (sqlite3_initialize() != SQLITE_OK) return SQLITE_ERROR;
    sqlite3_mutex *once = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
    sqlite3_mutex_enter(once);
    int code = SQLITE_OK;
    if (sqlite3_vfs_find(HOLDFAST_EXACT_VFS) == 0) {
        exact = *sqlite3_vfs_find(0);
        exact.zName = HOLDFAST_EXACT_VFS;
        exact.xFullPathname = holdfast_exact_name;
        exact.xOpen = holdfast_exact_open;
        code = sqlite3_vfs_register(&exact, 0);
    }
    sqlite3_mutex_leave(once);
    return code;
}

// The bytes of a wal-index that the capture looks at: both copies of its header, nBackfill, and
// nBackfillAttempted.
#define HOLDFAST_WAL_INDEX_BYTES 104
// Every wal-index region has this size (WALINDEX_PGSZ in SQLite's wal.c).
#define HOLDFAST_WAL_INDEX_REGION 32768

// Composed of others, which Swift does not import.
static const int holdfast_short_read = SQLITE_IOERR_SHORT_READ;
static const int holdfast_readonly_rollback = SQLITE_READONLY_ROLLBACK;
static const int holdfast_shm_size = SQLITE_IOERR_SHMSIZE;

static inline int holdfast_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int size) {
    return sqlite3_bind_text(statement, index, text, size, SQLITE_TRANSIENT);
}

static inline int holdfast_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, int size) {
    return sqlite3_bind_blob(statement, index, bytes, size, SQLITE_TRANSIENT);
}

static inline int holdfast_keep_log(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

static inline int holdfast_file_is_open(sqlite3_file *file) {
    return file != 0 && file->pMethods != 0;
}

static inline int holdfast_file_read(
    sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset) {
    return file->pMethods->xRead(file, buffer, size, offset);
}

static inline int holdfast_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return file->pMethods->xFileSize(file, size);
}

// Copies the head of the wal-index. SQLite writes the second copy of the header first, so the
// first is read first; nBackfill is read after both.
static inline int holdfast_wal_index(sqlite3_file *file, unsigned char *copy) {
    void volatile *region = 0;
    if (file->pMethods->iVersion < 2 || file->pMethods->xShmMap == 0) return SQLITE_IOERR_SHMMAP;
    int code = file->pMethods->xShmMap(file, 0, HOLDFAST_WAL_INDEX_REGION, 0, &region);
    // A mapping without write permission is reported as SQLITE_READONLY, and can be read.
    if (code != SQLITE_OK && code != SQLITE_READONLY) return code;
    if (region == 0) return SQLITE_IOERR_SHMMAP;
    file->pMethods->xShmBarrier(file);
    memcpy(copy, (const void *)region, 48);
    file->pMethods->xShmBarrier(file);
    memcpy(copy + 48, (const unsigned char *)region + 48, 48);
    file->pMethods->xShmBarrier(file);
    memcpy(copy + 96, (const unsigned char *)region + 96, 4);
    memcpy(copy + 100, (const unsigned char *)region + 128, 4);
    return SQLITE_OK;
}

#endif
