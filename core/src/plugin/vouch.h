/* vouch.h - remembered contents of files that have not changed since: manifests and the probe cache. */
#ifndef WEIR__VOUCH_H
#define WEIR__VOUCH_H

#include "plugin/listing.h"

#include <sys/stat.h>

/** A JSON file {"format": 1, "abi": "1.0.1", "files": {NAME: {"size", "mtime_ns", ("inode",) and a listing}}}. The
 *  manifest of a folder is keyed by file name and leaves out the inode, so that an installed or copied folder keeps
 *  its manifest; the cache is keyed by path. */
typedef struct weir__vouch weir__vouch;

/** Reads `path`; a file that is missing, damaged, of another ABI or writable by others vouches for nothing, and that is
 *  never an error. NULL only when memory is exhausted. */
weir__vouch *weir__vouch_open(const char *path, int with_inode);
void weir__vouch_close(weir__vouch *vouch);
/** The contents of the file `name` if it is still the one remembered, else NULL. The caller frees. */
weir__listing *weir__vouch_find(const weir__vouch *vouch, const char *name, const struct stat *st);
void weir__vouch_put(weir__vouch *vouch, const char *name, const struct stat *st,
                     const weir__listing *listing);
/** Forgets everything. */
void weir__vouch_clear(weir__vouch *vouch);
/** Writes the file, atomically, when something was put since it was read. */
weir_status weir__vouch_save(weir__vouch *vouch, weir_error *error);

#endif
