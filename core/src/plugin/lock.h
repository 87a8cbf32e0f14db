/* lock.h - a lock file: the plugin files, and files that go with them, that may be used, by the SHA-256 of their bytes. */
#ifndef WEIR__LOCK_H
#define WEIR__LOCK_H

#include "error.h"

#include <jansson.h>
#include <sys/stat.h>

/** {"format": 1, "plugins": [{"plugin", "version", "file", "size", "sha256", "modules": [ID, ...]}], "files": [{"file",
 *  "size", "sha256"}]}. Size and digest are what counts; the rest is for messages. The folder is not part of it: a lock
 *  holds on another machine. */
typedef struct weir__lock weir__lock;

/** Refuses a file that is missing, damaged, or writable by everybody: whoever asks for a lock must not be left without. */
weir_status weir__lock_open(const char *path, weir__lock **lock, weir_error *error);
void weir__lock_close(weir__lock *lock);
const char *weir__lock_path(const weir__lock *lock);

/** OK when the file at `path` is, byte for byte, one that the lock names, plugin or not. Runs nothing of it. */
weir_status weir__lock_check(const weir__lock *lock, const char *path, const struct stat *st,
                             weir_error *error);
/** The same for what was read from that file, by its digest. */
weir_status weir__lock_permits(const weir__lock *lock, const char *path, const char *sha256,
                               weir_error *error);
/** The plugin that the lock names for a module, as "FILE of plugin NAME 1.0.0 with sha256 ..."; 0 when it names none. */
int weir__lock_wants(const weir__lock *lock, const char *id, char *text, size_t size);

/** The digest of a file. */
weir_status weir__lock_digest(const char *path, char *sha256, weir_error *error);
/** Writes the lists, which are taken, in the order of names. */
weir_status weir__lock_write(const char *path, json_t *plugins, json_t *files, weir_error *error);

#endif
