/* test_writer.c - files are replaced whole or not at all, also when the disk is full; and what weir_matrix_write puts
 * into them.
 *
 * A full disk is met twice: for real, as a tiny tmpfs or as a limit on file sizes, and by this file's own write, fsync
 * and renameat, which the linker takes instead of the C library's and which fail when told to.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/array.h"
#include "file/file.h"
#include "file_fixture.h"
#include "valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

TestSuite(writer, .init = make_folder, .fini = remove_folder);

/* ---- faults ------------------------------------------------------------------------------------- */

static struct {
    int write_error, fsync_error, rename_error; /* errno; 0: none */
    int64_t write_after;                        /* bytes that still go through */
    int fsyncs_before;                          /* calls that still succeed */
    bool short_writes, interrupt, once;
} fault;

ssize_t write(int fd, const void *data, size_t size)
{
    if (fd > 2 && fault.interrupt) {
        fault.interrupt = false;
        errno = EINTR;
        return -1;
    }
    if (fd > 2 && fault.write_error) {
        if (fault.write_after <= 0) {
            errno = fault.write_error;
            if (fault.once) fault.write_error = 0;
            return -1;
        }
        if ((int64_t)size > fault.write_after) size = (size_t)fault.write_after;
        fault.write_after -= (int64_t)size;
    }
    if (fd > 2 && fault.short_writes && size > 7) size = 7;
    return syscall(SYS_write, fd, data, size);
}

int fsync(int fd)
{
    if (fault.fsync_error && fault.fsyncs_before-- <= 0) {
        errno = fault.fsync_error;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
    if (fault.rename_error) {
        errno = fault.rename_error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

/* ---- helpers ------------------------------------------------------------------------------------ */

static weir_status replace(const char *path, const char *text, weir_error *error)
{
    weir__writer *w = NULL;
    const weir_status status = weir__writer_open(path, &w, error);
    if (status) return status;
    weir__writer_put(w, text, (int64_t)strlen(text));
    return weir__writer_commit(w, error);
}

static void assert_contents(const char *path, const char *text)
{
    char got[256];
    read_file(path, got, sizeof got);
    cr_assert_str_eq(got, text);
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    cr_assert_eq(lstat(path, &info), 0);
    return info.st_mode;
}

/* ---- what goes well ----------------------------------------------------------------------------- */

Test(writer, makes_and_replaces)
{
    weir_error error = {0};
    const char *const path = in_folder("f");
    cr_assert_eq(replace(path, "one", &error), WEIR_OK, "%s", error.message);
    assert_contents(path, "one");
    cr_assert_eq(replace(path, "", &error), WEIR_OK);
    assert_contents(path, "");
    cr_assert_eq(count_entries(), 1);
}

Test(writer, old_file_stays_until_commit)
{
    weir_error error = {0};
    weir__writer *w = NULL;
    const char *const path = in_folder("f");
    write_file(path, "old", 3);
    cr_assert_eq(weir__writer_open(path, &w, &error), WEIR_OK);
    weir__writer_put(w, "new", 3);
    assert_contents(path, "old");
    weir__writer_abandon(w);
    assert_contents(path, "old");
    cr_assert_eq(count_entries(), 1);
    weir__writer_abandon(NULL);
}

Test(writer, mode_is_umask_s_or_the_old_file_s)
{
    weir_error error = {0};
    umask(027);
    cr_assert_eq(replace(in_folder("new"), "x", &error), WEIR_OK);
    cr_assert_eq(mode_of(in_folder("new")) & 07777, 0640);
    write_file(in_folder("old"), "x", 1);
    cr_assert_eq(chmod(in_folder("old"), 0604), 0);
    cr_assert_eq(replace(in_folder("old"), "y", &error), WEIR_OK);
    cr_assert_eq(mode_of(in_folder("old")) & 07777, 0604);
}

Test(writer, large_and_small_pieces)
{
    static char expected[900000], got[900010];
    weir_error error = {0};
    weir__writer *w = NULL;
    for (size_t i = 0; i < sizeof expected; i++) expected[i] = (char)(i * 31 >> 3);
    fault.interrupt = true;
    cr_assert_eq(weir__writer_open(in_folder("f"), &w, &error), WEIR_OK);
    static const int64_t sizes[] = {1, 262143, 1, 3, 262144, 262145, 0, 100, 112463};
    int64_t done = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        weir__writer_put(w, expected + done, sizes[i]);
        done += sizes[i];
    }
    cr_assert_leq((size_t)done, sizeof expected);
    cr_assert_eq(weir__writer_commit(w, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(read_file(in_folder("f"), got, sizeof got), (size_t)done);
    cr_assert_arr_eq(got, expected, (size_t)done);
}

Test(writer, short_writes_are_continued)
{
    weir_error error = {0};
    fault.short_writes = true;
    cr_assert_eq(replace(in_folder("f"), "a text that is longer than seven bytes", &error), WEIR_OK);
    fault.short_writes = false;
    assert_contents(in_folder("f"), "a text that is longer than seven bytes");
}

Test(writer, links_stay_links)
{
    weir_error error = {0};
    cr_assert_eq(mkdir(in_folder("d"), 0700), 0);
    write_file(in_folder("d/file"), "old", 3);
    cr_assert_eq(symlink("file", in_folder("d/inner")), 0);
    cr_assert_eq(symlink("d/inner", in_folder("outer")), 0);
    cr_assert_eq(replace(in_folder("outer"), "new", &error), WEIR_OK, "%s", error.message);
    assert_contents(in_folder("d/file"), "new");
    cr_assert(S_ISLNK(mode_of(in_folder("outer"))) && S_ISLNK(mode_of(in_folder("d/inner"))));

    cr_assert_eq(symlink("d/later", in_folder("dangling")), 0);
    cr_assert_eq(replace(in_folder("dangling"), "made", &error), WEIR_OK, "%s", error.message);
    assert_contents(in_folder("d/later"), "made");

    cr_assert_eq(symlink(in_folder("d/file"), in_folder("absolute")), 0);
    cr_assert_eq(replace(in_folder("absolute"), "again", &error), WEIR_OK, "%s", error.message);
    assert_contents(in_folder("d/file"), "again");

    cr_assert_eq(symlink("round", in_folder("round")), 0);
    assert_refused(replace(in_folder("round"), "x", &error), &error, "round", "symbolic links");
}

Test(writer, working_directory_may_change)
{
    weir_error error = {0};
    weir__writer *w = NULL;
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(weir__writer_open("relative", &w, &error), WEIR_OK);
    cr_assert_eq(chdir("/"), 0);
    weir__writer_put(w, "x", 1);
    cr_assert_eq(weir__writer_commit(w, &error), WEIR_OK, "%s", error.message);
    assert_contents(in_folder("relative"), "x");
}

Test(writer, names_of_the_greatest_length)
{
    char name[256];
    weir_error error = {0};
    memset(name, 'n', 255);
    name[255] = 0;
    cr_assert_eq(replace(in_folder(name), "x", &error), WEIR_OK, "%s", error.message);
    assert_contents(in_folder(name), "x");
}

/* ---- what cannot be written to ------------------------------------------------------------------ */

Test(writer, bad_targets)
{
    weir_error error = {0};
    char path[300];
    assert_refused(replace(folder, "x", &error), &error, folder, "it is a folder");
    snprintf(path, sizeof path, "%s/", folder);
    assert_refused(replace(path, "x", &error), &error, folder, "it is a folder");
    assert_refused(replace(in_folder("no/such"), "x", &error), &error, "no/such",
                   "No such file or directory");
    write_file(in_folder("file"), "x", 1);
    assert_refused(replace(in_folder("file/below"), "x", &error), &error, "file/below", "Not a directory");
    assert_refused(replace("", "x", &error), &error, "", "the name of the file is empty");
    assert_refused(replace("/dev/full", "x", &error), &error, "/dev/full", "not a regular file");
    cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
    assert_refused(replace(in_folder("pipe"), "x", &error), &error, "pipe", "not a regular file");
    assert_refused(replace(in_folder("no/bad\nname"), "x", &error), &error, "bad?name", "cannot write");
    cr_assert_eq(replace(in_folder("no/such"), "x", NULL), WEIR_ERROR, "error may be NULL");
    cr_assert(S_ISCHR(mode_of("/dev/full")) && S_ISFIFO(mode_of(in_folder("pipe"))));
}

Test(writer, rights)
{
    weir_error error = {0};
    write_file(in_folder("mine"), "old", 3);
    cr_assert_eq(mkdir(in_folder("closed"), 0755), 0);
    if (geteuid() == 0) {
        cr_assert_eq(chmod(folder, 0777), 0);
        cr_assert_eq(seteuid(65534), 0);
    } else {
        cr_assert_eq(chmod(in_folder("mine"), 0444), 0);
        cr_assert_eq(chmod(in_folder("closed"), 0555), 0);
    }
    /* access() asks for the real user, whom a test run as root cannot be without giving up the right to clean up. */
    const bool root = getuid() == 0;
    if (!root) assert_refused(replace(in_folder("mine"), "x", &error), &error, "mine", "Permission denied");
    assert_refused(replace(in_folder("closed/new"), "x", &error), &error, "closed/new", "Permission denied");
    if (root) cr_assert_eq(seteuid(0), 0);
    assert_contents(in_folder("mine"), "old");
    cr_assert_eq(chmod(in_folder("closed"), 0755), 0);
}

/* ---- a full disk -------------------------------------------------------------------------------- */

static void assert_nothing_lost(const char *path, weir_status status, const weir_error *error,
                                const char *reason)
{
    char expected[400];
    snprintf(expected, sizeof expected, "cannot write: %s; the old file is untouched", reason);
    assert_refused(status, error, path, expected);
    cr_assert_eq(status, WEIR_ERROR);
    assert_contents(path, "old");
    cr_assert_eq(count_entries(), 1, "a temporary was left");
}

Test(writer, errors_of_every_call)
{
    static char big[600000];
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {ENOSPC, "No space left on device"}, {EDQUOT, "Disk quota exceeded"}, {EIO, "Input/output error"}};
    weir_error error = {0};
    const char *const path = in_folder("f");
    write_file(path, "old", 3);
    memset(big, 'x', sizeof big - 1);
    for (int i = 0; i < 3; i++) {
        for (int64_t after = 0; after < 600000; after += 150000) {
            fault.write_error = reasons[i].code;
            fault.write_after = after;
            const weir_status status = replace(path, big, &error);
            fault.write_error = 0;
            assert_nothing_lost(path, status, &error, reasons[i].text);
        }
        fault.fsync_error = reasons[i].code;
        fault.fsyncs_before = 0;
        weir_status status = replace(path, "new", &error);
        fault.fsync_error = 0;
        assert_nothing_lost(path, status, &error, reasons[i].text);
        fault.rename_error = reasons[i].code;
        status = replace(path, "new", &error);
        fault.rename_error = 0;
        assert_nothing_lost(path, status, &error, reasons[i].text);
    }
}

Test(writer, the_first_error_sticks)
{
    weir_error error = {0};
    weir__writer *w = NULL;
    char block[300000] = {0};
    const char *const path = in_folder("f");
    write_file(path, "old", 3);
    cr_assert_eq(weir__writer_open(path, &w, &error), WEIR_OK);
    fault.write_error = EDQUOT;
    weir__writer_put(w, block, sizeof block);
    fault.write_error = 0;
    weir__writer_put(w, block, sizeof block);
    assert_nothing_lost(path, weir__writer_commit(w, &error), &error, "Disk quota exceeded");

    /* The write of what was kept back fails, the one of the large block right after it would not. */
    cr_assert_eq(weir__writer_open(path, &w, &error), WEIR_OK);
    weir__writer_put(w, "x", 1);
    fault.write_error = EIO;
    fault.once = true;
    weir__writer_put(w, block, sizeof block);
    cr_assert_eq(fault.write_error, 0, "the fault was met");
    assert_nothing_lost(path, weir__writer_commit(w, &error), &error, "Input/output error");
}

Test(writer, no_old_file)
{
    weir_error error = {0};
    fault.write_error = ENOSPC;
    const weir_status status = replace(in_folder("f"), "new", &error);
    fault.write_error = 0;
    assert_refused(status, &error, "f", "No space left on device; nothing was written");
    cr_assert_eq(count_entries(), 0);
}

Test(writer, folder_that_cannot_be_synced)
{
    weir_error error = {0};
    fault.fsync_error = EIO;
    fault.fsyncs_before = 1;
    weir_status status = replace(in_folder("f"), "new", &error);
    assert_refused(status, &error, "f", "may not survive a power cut");
    assert_contents(in_folder("f"), "new");
    fault.fsync_error = EINVAL;
    fault.fsyncs_before = 0;
    cr_assert_eq(replace(in_folder("f"), "newer", &error), WEIR_OK, "a file system may know no fsync");
    assert_contents(in_folder("f"), "newer");
}

/* SIGXFSZ keeps its default action, which is to end the process: the writer has to be the one who copes. */
Test(writer, limit_on_file_sizes)
{
    static char big[200000];
    weir_error error = {0};
    const char *const path = in_folder("f");
    write_file(path, "old", 3);
    memset(big, 'x', sizeof big - 1);
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 100000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const weir_status status = replace(path, big, &error);
    limit.rlim_cur = before;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_nothing_lost(path, status, &error, "File too large");

    sigset_t set;
    sigpending(&set);
    cr_assert_not(sigismember(&set, SIGXFSZ), "the signal is still pending");
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    cr_assert_not(sigismember(&set, SIGXFSZ), "the signal is still held back");
    struct sigaction action;
    sigaction(SIGXFSZ, NULL, &action);
    cr_assert_eq(action.sa_handler, SIG_DFL);
}

static bool mount_tiny(const char *place)
{
    if (mkdir(place, 0700)) return false;
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) return false;
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL)) return false;
    return !mount("tiny", place, "tmpfs", 0, "size=256k");
}

Test(writer, disk_that_is_really_full)
{
    static char big[600000];
    char inner[300];
    weir_error error = {0};
    snprintf(inner, sizeof inner, "%s/tiny", folder);
    if (!mount_tiny(inner)) cr_skip_test("mounting a small disk needs more rights than this process has");
    memcpy(folder, inner, sizeof folder);
    const char *const path = in_folder("f");
    write_file(path, "old", 3);
    memset(big, 'x', sizeof big - 1);
    const weir_status status = replace(path, big, &error);
    assert_nothing_lost(path, status, &error, "No space left on device");
    cr_assert_eq(replace(path, "small", &error), WEIR_OK, "%s", error.message);
    umount2(inner, MNT_DETACH);
    folder[strlen(folder) - 5] = 0;
}

/* ---- matrices ----------------------------------------------------------------------------------- */

static weir_matrix matrix_of(int32_t dtype, int64_t rows, int64_t columns, void *data)
{
    return (weir_matrix){
        .struct_size = sizeof(weir_matrix), .dtype = dtype, .rows = rows, .columns = columns, .data = data};
}

static weir_array *read_back(const char *path)
{
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(weir_array_read(path, NULL, &a, &error), WEIR_OK, "%s", error.message);
    return a;
}

Test(writer, npy_round_trip)
{
    static char got[1000];
    weir_error error = {0};
    float values[2][5] = {{1, 2, 3, 99, 99}, {4, 5, NAN, 99, 99}};
    weir_matrix m = matrix_of(WEIR_DTYPE_F32, 2, 3, values);
    m.row_stride = 5;
    const char *const path = in_folder("m.npy");
    cr_assert_eq(weir_matrix_write(path, &m, NULL, &error), WEIR_OK, "%s", error.message);
    weir_array *const a = read_back(path);
    cr_assert_eq(weir_array_dtype(a), WEIR_DTYPE_F32);
    cr_assert_eq(weir_array_dim(a, 1), 3);
    cr_assert_arr_eq(weir_array_data(a), values[0], 3 * sizeof(float));
    cr_assert_arr_eq((float *)weir_array_data(a) + 3, values[1], 3 * sizeof(float));
    weir_array_free(a);
    cr_assert_eq(read_file(path, got, sizeof got), 128 + 24, "NumPy aligns data to 64 bytes");
    cr_assert_eq(got[127], '\n');
}

Test(writer, npy_of_every_dtype_and_no_rows)
{
    weir_error error = {0};
    int64_t zeros[4] = {0};
    for (int32_t dtype = 1; dtype <= WEIR_DTYPE_BOOL; dtype++)
        for (int64_t rows = 0; rows < 2; rows++) {
            weir_matrix m = matrix_of(dtype, rows, 4, rows ? zeros : NULL);
            cr_assert_eq(weir_matrix_write(in_folder("m.npy"), &m, NULL, &error), WEIR_OK, "%s",
                         error.message);
            weir_array *const a = read_back(in_folder("m.npy"));
            cr_assert_eq(weir_array_dtype(a), dtype);
            cr_assert_eq(weir_array_dim(a, 0), rows);
            weir_array_free(a);
        }
}

Test(writer, csv_text)
{
    weir_error error = {0};
    double values[] = {0.1, 1e300, -5, 1.0 / 3, NAN, 1e-5};
    weir_matrix m = matrix_of(WEIR_DTYPE_F64, 2, 3, values);
    const char *const path = in_folder("m.csv");
    cr_assert_eq(weir_matrix_write(path, &m, (const char *const[]){"x", "a \"b\"", "c,d"}, &error), WEIR_OK);
    assert_contents(path, "x,\"a \"\"b\"\"\",\"c,d\"\n0.1,1e+300,-5\n0.3333333333333333,nan,1e-05\n");
    float floats[] = {0.1f, 16777216, 1.0f / 3};
    m = matrix_of(WEIR_DTYPE_F32, 3, 1, floats);
    cr_assert_eq(weir_matrix_write(path, &m, NULL, &error), WEIR_OK);
    assert_contents(path, "0.1\n16777216\n0.33333334\n");
    int8_t bytes_[] = {-1, 2};
    m = matrix_of(WEIR_DTYPE_I8, 1, 2, bytes_);
    cr_assert_eq(weir_matrix_write(path, &m, NULL, &error), WEIR_OK);
    assert_contents(path, "-1,2\n");
}

Test(writer, csv_round_trip)
{
    SKIP_UNDER_VALGRIND("rounds long double to 64 bits");
    static double values[3000];
    weir_error error = {0};
    uint64_t state = 3;
    for (int i = 0; i < 3000; i++) {
        const uint64_t r = next_random(&state);
        memcpy(&values[i], &r, sizeof r);
        if (!isfinite(values[i])) values[i] = i;
    }
    weir_matrix m = matrix_of(WEIR_DTYPE_F64, 1000, 3, values);
    static const char *const names[] = {"a;b", " blank ", "#\n"};
    cr_assert_eq(weir_matrix_write(in_folder("m.CSV"), &m, names, &error), WEIR_OK, "%s", error.message);
    weir_array *const a = read_back(in_folder("m.CSV"));
    cr_assert_arr_eq(weir_array_data(a), values, sizeof values);
    cr_assert_str_eq(weir_array_column(a, 0), "a;b");
    cr_assert_str_eq(weir_array_column(a, 1), " blank ");
    cr_assert_str_eq(weir_array_column(a, 2), "#?");
    weir_array_free(a);
}

Test(writer, csv_in_a_locale_with_commas)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE"};
    bool found = false;
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) found = setlocale(LC_ALL, names[i]);
    if (!found) cr_skip_test("no locale with a decimal comma is installed");
    weir_error error = {0};
    double value = 1.5;
    weir_matrix m = matrix_of(WEIR_DTYPE_F64, 1, 1, &value);
    cr_assert_eq(weir_matrix_write(in_folder("m.csv"), &m, NULL, &error), WEIR_OK);
    assert_contents(in_folder("m.csv"), "1.5\n");
    cr_assert_eq(strtod("1,5", NULL), 1.5, "the locale is put back");
}

Test(writer, bad_matrices)
{
    weir_error error = {0};
    double value = 0;
    const char *const path = in_folder("m.npy");
    weir_matrix m = matrix_of(WEIR_DTYPE_F64, 1, 1, &value);
    assert_refused(weir_matrix_write(in_folder("m.txt"), &m, NULL, &error), &error, "m.txt",
                   "use .npy or .csv");
    m.dtype = 77;
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "no known dtype");
    m = matrix_of(WEIR_DTYPE_F64, -1, 1, &value);
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "is no matrix");
    m = matrix_of(WEIR_DTYPE_F64, INT64_MAX / 2, 3, &value);
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "is no matrix");
    m = matrix_of(WEIR_DTYPE_F64, 1, 2, &value);
    m.row_stride = 1;
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "is no matrix");
    m = matrix_of(WEIR_DTYPE_F64, 1, 1, NULL);
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "has no data");
    m = matrix_of(WEIR_DTYPE_F64, 1, 1, &value);
    m.struct_size = 8;
    assert_refused(weir_matrix_write(path, &m, NULL, &error), &error, path, "struct_size");
    assert_refused(weir_matrix_write(path, NULL, NULL, &error), &error, path, "struct_size");
    cr_assert_eq(count_entries(), 0);
}
