/* errand.h - what weir_check and weir-checker know of each other.
 *
 * weir-checker reads {"what": id or file, "options": as weir_check's, "folders": joined by ':', "lock": file or null} from
 * its standard input, and answers with the greeting and one line: {"list": report, "ok": bool} or {"error": TEXT, "status": n}.
 */
#ifndef WEIR__CHECK_ERRAND_H
#define WEIR__CHECK_ERRAND_H

/** The first line of the answer; a checker that says anything else belongs to another Weir. */
#define WEIR__CHECKER_GREETING "weir-checker 1"
#define WEIR__CHECKER_ANSWER   ((int64_t)1 << 26)

#endif
