/* test_csv.c - tables in text: what is read, and that each error names its line and column.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/decimal.h"
#include "file/parsers.h"
#include "file_fixture.h"
#include "valgrind.h"

#include <locale.h>
#include <math.h>

TestSuite(csv, .init = make_folder, .fini = remove_folder);

static weir_status parse(const char *text, size_t size, weir_array **array, weir_error *error)
{
    unsigned char *const block = exact(text, size);
    const weir_status status = weir__csv_parse(block, (int64_t)size, "t.csv", array, error);
    free(block);
    return status;
}

/* Expects rows x columns of values (listed row by row) and, unless NULL, names separated by '|'. */
static void expect(const char *text, int64_t rows, int64_t columns, const double *values, const char *names)
{
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(parse(text, strlen(text), &a, &error), WEIR_OK, "%s: %s", text, error.message);
    cr_assert_eq(weir_array_dtype(a), WEIR_DTYPE_F64);
    cr_assert_eq(weir_array_rank(a), 2);
    cr_assert_eq(weir_array_dim(a, 0), rows, "%s: %lld rows", text, (long long)weir_array_dim(a, 0));
    cr_assert_eq(weir_array_dim(a, 1), columns, "%s: %lld columns", text, (long long)weir_array_dim(a, 1));
    const double *const got = weir_array_data(a);
    for (int64_t i = 0; i < rows * columns; i++) cr_assert_eq(got[i], values[i], "%s: %g", text, got[i]);
    char joined[200] = "";
    for (int64_t j = 0; weir_array_column(a, j); j++) {
        if (j) strcat(joined, "|");
        strcat(joined, weir_array_column(a, j));
    }
    cr_assert_str_eq(joined, names ? names : "", "%s", text);
    weir_array_free(a);
}

static void refuse_bytes(const char *text, size_t size, const char *fragment)
{
    weir_array *a = NULL;
    weir_error error = {0};
    assert_refused(parse(text, size, &a, &error), &error, "t.csv", fragment);
    cr_assert_null(a);
}

static void refuse(const char *text, const char *fragment)
{
    refuse_bytes(text, strlen(text), fragment);
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

Test(csv, with_and_without_names)
{
    expect("1,2\n3,4\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("1,2\n3,4", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("x,y\n3,4\n", 1, 2, VALUES(3, 4), "x|y");
    expect("1,y\n3,4\n", 1, 2, VALUES(3, 4), "1|y");
    expect(",y\n3,4\n", 1, 2, VALUES(3, 4), "|y");
    expect("7\n", 1, 1, VALUES(7), NULL);
    expect("price\n7\n8\n", 2, 1, VALUES(7, 8), "price");
    expect("price in euro\n7\n8\n", 2, 1, VALUES(7, 8), "price in euro");
}

Test(csv, separators)
{
    expect("1;2\n3;4\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("1\t2\n3\t4\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("1 2\n3 4\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("  1   2 \t\n3\t 4\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("a b\n3  4 \n", 1, 2, VALUES(3, 4), "a|b");
    expect("a, b\n3, 4\n", 1, 2, VALUES(3, 4), "a|b");
    expect("a name, in cm\tb\n3\t4\n", 1, 2, VALUES(3, 4), "a name, in cm|b");
    expect("\"a;b\",c\n3,4\n", 1, 2, VALUES(3, 4), "a;b|c");
}

Test(csv, line_ends_blank_lines_comments_and_marks)
{
    expect("1,2\r\n3,4\r\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("1,2\r3,4\r", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("\n\n1,2\n  \n3,4\n\n\n", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("# made by hand\n1,2\n# more\n3,4\n#", 2, 2, VALUES(1, 2, 3, 4), NULL);
    expect("\xef\xbb\xbfx,y\n3,4\n", 1, 2, VALUES(3, 4), "x|y");
    expect("\xef\xbb\xbf"
           "3,4\n",
           1, 2, VALUES(3, 4), NULL);
}

Test(csv, quotes)
{
    expect("\"x\",\"a \"\"b\"\"\"\n\"1\" , \"2\"\n", 1, 2, VALUES(1, 2), "x|a \"b\"");
    expect("\"two\nlines\",y\n1,2\n", 1, 2, VALUES(1, 2), "two?lines|y");
    refuse("x,y\n\"1,2\n", "line 2, column 1 (x): a quote is never closed");
    refuse("x,y\n\"1\"2,3\n", "line 2, column 1 (x): something follows a closing quote");
    refuse("\"a\nb\",y\n1,z\n", "line 3, column 2 (y): \"z\" is not a number");
    refuse("x,y\n1,\"2\"\"\"\n", "line 2, column 2 (y): \"2\"\"\" is not a number");
}

Test(csv, names_are_clean_utf8)
{
    expect("gr\xc3\xb6\xc3\x9f"
           "e,\xff\xe2\x82\n1,2\n",
           1, 2, VALUES(1, 2),
           "gr\xc3\xb6\xc3\x9f"
           "e|???");
    expect("\xe2\x82\xac,\xf0\x9f\x98\x80,\xed\xa0\x80,\xc0\x80\n1,2,3,4\n", 1, 4, VALUES(1, 2, 3, 4),
           "\xe2\x82\xac|\xf0\x9f\x98\x80|\?\?\?|\?\?");
    expect("a\033[31m,b\x7f\n1,2\n", 1, 2, VALUES(1, 2), "a?[31m|b?");
}

Test(csv, forms_of_numbers)
{
    expect("+1,-2,.5,5.,1e3,1E-2,-0,1.5e+1\n", 1, 8, VALUES(1, -2, .5, 5, 1000, .01, 0, 15), NULL);
    expect("0.1,123456789012345678,1e22,1e23,3.14159265358979323846,2.2250738585072011e-308\n", 1, 6,
           VALUES(0.1, 123456789012345678.0, 1e22, 1e23, 3.14159265358979323846, 2.2250738585072011e-308),
           NULL);
    expect("9007199254740993,0.000000000000000000000000000001,1e-400,00000000000000000000001.5\n", 1, 4,
           VALUES(9007199254740993.0, 1e-30, 0, 1.5), NULL);
}

Test(csv, what_is_no_number)
{
    static const char *const words[] = {"abc", "0x10", "1_000", "1e", "e5", "1.2.3", "--1",    "1 2",
                                        "1,5", "$3",   "12h",   ".",  "+",  "1e+",   "nan(1)", "true"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[80], fragment[80];
        snprintf(text, sizeof text, "1;2;3\n4;5;%s\n", words[i]);
        snprintf(fragment, sizeof fragment, "line 2, column 3: \"%s\" is not a number", words[i]);
        refuse(text, fragment);
    }
    refuse("1,2\n3,abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n",
           "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmn\"");
    refuse("1,2\n1e999,4\n", "line 2, column 1: the number is too large");
    refuse("1,2\n3,\"-1e400\"\n", "line 2, column 2: the number is too large");
}

Test(csv, missing_values)
{
    static const char *const words[] = {"nan", "NaN",  "-nan", "inf", "-Infinity", "NA",
                                        "n/a", "null", "None", "?",   "-"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[80], fragment[80];
        snprintf(text, sizeof text, "1,2\n%s,4\n", words[i]);
        snprintf(fragment, sizeof fragment, "line 2, column 1: \"%s\" is not a finite number", words[i]);
        refuse(text, fragment);
        snprintf(text, sizeof text, "1,%s\n3,4\n", words[i]);
        snprintf(fragment, sizeof fragment, "line 1, column 2: \"%s\" is not a finite number", words[i]);
        refuse(text, fragment);
    }
    refuse("a,b,c\n1,,3\n", "line 2, column 2 (b): the cell is empty");
    refuse("a,b,c\n1, ,3\n", "line 2, column 2 (b): the cell is empty");
    refuse("a,b,c\n1,2,\n", "line 2, column 3 (c): the cell is empty");
    refuse("a\tb\n\t2\n", "line 2, column 1 (a): the cell is empty");
    refuse("1,\"\"\n", "line 1, column 2: the cell is empty");
    refuse("1,\n2,\n", "line 1, column 2: the cell is empty");
}

Test(csv, ragged_rows)
{
    refuse("1,2\n3\n", "line 2: has 1 column, but the first row has 2");
    refuse("1,2\n\n3,4,5\n", "line 3: has 3 columns, but the first row has 2");
    refuse("a,b\n1,2,3\n", "line 2: has 3 columns, but the first row has 2");
    refuse("1 2\n3\n", "line 2: has 1 column, but the first row has 2");
    refuse("1\n3 4\n", "line 2, column 1: \"3 4\" is not a number");
}

Test(csv, files_without_rows)
{
    refuse("", "holds no rows");
    refuse(" \n\n# nothing\n", "holds no rows");
    refuse("a,b\n", "nothing else");
    refuse_bytes("1,2\0", 4, "byte 3 is zero");
    refuse_bytes("\xff\xfe"
                 "1\0",
                 4, "UTF-16");
    refuse_bytes("\xfe\xff\0"
                 "1",
                 4, "UTF-16");
}

/* The point must stay a point where the program's locale has a comma. */
Test(csv, locale_does_not_matter)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE"};
    bool found = false;
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) found = setlocale(LC_ALL, names[i]);
    if (!found) cr_skip_test("no locale with a decimal comma is installed");
    cr_assert_eq(strtod("1,5", NULL), 1.5);
    expect("1.5,1.00000000000000000000000001e2\n", 1, 2, VALUES(1.5, 100), NULL);
}

/* Every number of digits and many exponents, against the C library. */
Test(csv, numbers_are_rounded_correctly)
{
    SKIP_UNDER_VALGRIND("rounds long double to 64 bits");
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    uint64_t state = 5;
    for (int i = 0; i < 300000; i++) {
        char text[64];
        const uint64_t r = next_random(&state);
        const int digits = 1 + (int)(r % 20), point = (int)(r >> 16) % (digits + 1),
                  exponent = (int)(r >> 32) % 40 - 20;
        int n = 0;
        if (r >> 63) text[n++] = '-';
        for (int d = 0; d < digits; d++) {
            if (d == point) text[n++] = '.';
            text[n++] = (char)('0' + next_random(&state) % 10);
        }
        if (r >> 48 & 1) n += sprintf(text + n, "e%d", exponent);
        text[n] = 0;
        double value = 0;
        cr_assert_eq(weir__decimal(text, c, &value), text + n, "%s", text);
        cr_assert_eq(value, strtod(text, NULL), "%s is read as %.17g", text, value);
    }
    for (int i = 0; i < 300000; i++) {
        char text[64];
        double value, expected;
        uint64_t bits = next_random(&state);
        if (i % 2) bits = (bits & ~(UINT64_C(0x7ff) << 52)) | (UINT64_C(1023) - 30 + bits % 60) << 52;
        memcpy(&expected, &bits, sizeof expected);
        if (!isfinite(expected)) continue;
        snprintf(text, sizeof text, "%.17g", expected);
        cr_assert(weir__decimal(text, c, &value) && value == expected, "%s is read as %.17g", text, value);
    }
    freelocale(c);
}

/* A file cut anywhere gives an error, or the rows that are whole and the last one with a number cut short. */
Test(csv, cut_at_every_byte)
{
    static const char text[] = "alpha,\"be\"\"ta\"\r\n10.25,-3e2\r\n\"44\",5\r\n";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        weir_array *a = NULL;
        weir_error error = {0};
        if (parse(text, size, &a, &error)) {
            assert_refused(error.status, &error, "t.csv", " ");
            continue;
        }
        cr_assert_eq(weir_array_dim(a, 1), 2);
        cr_assert_leq(weir_array_dim(a, 0), 2);
        cr_assert_eq(((double *)weir_array_data(a))[0], 10.25);
        weir_array_free(a);
    }
}

Test(csv, mutations_never_crash)
{
    static const char *const texts[] = {"alpha,\"be\"\"ta\"\r\n10.25,-3e2\r\n\"44\",5\r\n",
                                        "1 2 3\n4 5 6\n7 8 9\n", "a;b\n\"1\";2\n3;4\n", "1\t2\n3\t4\n",
                                        "x\n1\n2\n"};
    uint64_t state = 12345;
    int64_t accepted = 0;
    for (int i = 0; i < 30000; i++) {
        unsigned char data[100] = {0};
        const char *const text = texts[i % 5];
        memcpy(data, text, strlen(text));
        const size_t size = mutate(data, strlen(text), &state);
        weir_array *a = NULL;
        weir_error error = {0};
        if (parse((char *)data, size, &a, &error)) {
            assert_refused(error.status, &error, "t.csv", " ");
            continue;
        }
        accepted++;
        for (int64_t k = 0; k < a->count; k++) cr_assert(isfinite(((double *)a->data)[k]));
        weir_array_free(a);
    }
    cr_assert_gt(accepted, 1000);
}

Test(csv, many_rows)
{
    SKIP_UNDER_VALGRIND("rounds long double to 64 bits");
    const int64_t rows = 20000;
    char *const text = malloc((size_t)rows * 40), *p = text;
    for (int64_t i = 0; i < rows; i++) p += sprintf(p, "%lld,%.17g\n", (long long)i, (double)i / 7);
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(parse(text, (size_t)(p - text), &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir_array_dim(a, 0), rows);
    for (int64_t i = 0; i < rows; i++) {
        cr_assert_eq(((double *)a->data)[2 * i], (double)i);
        cr_assert_eq(((double *)a->data)[2 * i + 1], (double)i / 7);
    }
    weir_array_free(a);
    strcpy(p, "1,x\n");
    assert_refused(parse(text, strlen(text), &a, &error), &error, "t.csv", "line 20001, column 2");
    free(text);
}

Test(csv, files_with_other_endings)
{
    weir_array *a = NULL;
    weir_error error = {0};
    write_file(in_folder("table"), "1,2\n", 4);
    cr_assert_eq(weir_array_read(in_folder("table"), NULL, &a, &error), WEIR_OK, "%s", error.message);
    weir_array_free(a);
    write_file(in_folder("binary.csv"), "1,2\0\1", 5);
    assert_refused(weir_array_read(in_folder("binary.csv"), NULL, &a, &error), &error, "binary.csv",
                   "byte 3 is zero");
    write_file(in_folder("empty.csv"), "", 0);
    assert_refused(weir_array_read(in_folder("empty.csv"), NULL, &a, &error), &error, "empty.csv",
                   "holds no rows");
}
