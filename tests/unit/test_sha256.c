/* test_sha256.c - the digest against the examples of the standard, and around the edges of its blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/sha256.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_digest(const void *data, size_t size, const char *wanted)
{
    char text[WEIR__SHA256_TEXT];
    memset(text, 'x', sizeof text);
    weir__sha256(data, size, text);
    cr_assert_str_eq(text, wanted, "%zu bytes: %s", size, text);
}

/* The one-block and the two-block message that NIST works through for FIPS 180-4, and a million times "a". */
Test(sha256, the_examples_of_the_standard)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const size_t million = 1000000;
    char *const many = malloc(million);
    memset(many, 'a', million);
    expect_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_digest(two, sizeof two - 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_digest(many, million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    expect_digest(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    free(many);
}

/* Where the padding needs a block of its own and where it does not; the digests are those of sha256sum (coreutils). */
Test(sha256, the_edges_of_blocks)
{
    static const struct {
        size_t size;
        const char *digest;
    } list[] = {
        {55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"},
        {56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"},
        {63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"},
        {64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"},
        {65, "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781"},
        {119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"},
        {120, "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c"},
        {1000, "4e4c294b331f7a2099a379bec34b9f9fc03dc46ab465d998f4d683da53487e6d"},
    };
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        unsigned char *const bytes = malloc(list[k].size);
        for (size_t i = 0; i < list[k].size; i++) bytes[i] = (unsigned char)(i % 251);
        expect_digest(bytes, list[k].size, list[k].digest);
        free(bytes);
    }
}
