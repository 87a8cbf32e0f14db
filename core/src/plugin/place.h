/* place.h - where this library lies, and what lies beside it. */
#ifndef WEIR__PLACE_H
#define WEIR__PLACE_H

/* All results are malloc'ed absolute paths; NULL when there is none. */

/** The default plugin folder: weir/plugins beside the library (install tree), else ../plugins (build tree). */
char *weir__place_plugins(void);
/** The helper weir-probe: WEIR_PROBE when set, else the one that belongs to this library. */
char *weir__place_probe(void);
/** The same for the helper `name`, which the environment variable `variable` may replace. */
char *weir__place_helper(const char *name, const char *variable);
/** $XDG_CACHE_HOME/weir/probe.json, or the same under ~/.cache. Makes the folder. */
char *weir__place_cache(void);

/** "FOLDER/NAME". */
char *weir__place_join(const char *folder, const char *name);

#endif
