#include "io/files.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/harness.h"

/* Each case works in a folder of its own, which is left empty. */
static struct rg_files *files_in(char folder[32])
{
    (void)snprintf(folder, 32, "files_test.XXXXXX");
    RG_CHECK(mkdtemp(folder) != NULL);
    RG_CHECK_INT(chdir(folder), 0);
    struct rg_files *files = rg_files_new();
    RG_CHECK(files != NULL);
    return files;
}

static void files_out(struct rg_files *files, const char *folder)
{
    rg_files_free(files);
    RG_CHECK_INT(chdir(".."), 0);
    RG_CHECK_INT(rmdir(folder), 0);
}

/* Waits for the next answer, which must be for token. */
static int answer_of(struct rg_files *files, uint64_t token)
{
    struct rg_files_answer answer;
    struct pollfd fd = {.fd = rg_files_fd(files), .events = POLLIN};

    while (!rg_files_next(files, &answer))
        RG_CHECK_INT(poll(&fd, 1, 5000), 1);
    RG_CHECK_INT(answer.token, token);
    return answer.result;
}

static void check_content(const char *name, const char *expected)
{
    char text[256];
    int fd = open(name, O_RDONLY);

    RG_CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text));
    (void)close(fd);
    RG_CHECK(n >= 0);
    RG_CHECK_BYTES(rg_bytes(text, (size_t)n), expected);
}

RG_TEST(operations_run_in_the_order_given)
{
    char folder[32];
    struct rg_files *files = files_in(folder);
    uint64_t token = 0;

    rg_files_create(files, "a", token++);
    for (int i = 0; i < 20; i++) {
        char digit = (char)('a' + i);
        rg_files_append(files, "a", rg_bytes(&digit, 1), token++);
    }
    rg_files_rename(files, "a", "b", token++);
    rg_files_append(files, "b", RG_BYTES("!"), token++);
    rg_files_create(files, "a", token++);
    rg_files_append(files, "a", RG_BYTES("new"), token++);
    rg_files_append(files, "b", RG_BYTES("?"), token++);
    for (uint64_t i = 0; i < token; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    RG_CHECK_INT(rg_files_pending(files), 0);
    check_content("b", "abcdefghijklmnopqrst!?");
    check_content("a", "new");
    rg_files_remove(files, "a", 1);
    rg_files_remove(files, "b", 2);
    rg_files_remove(files, "never", 3);
    for (uint64_t i = 1; i <= 3; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    files_out(files, folder);
}

RG_TEST(what_is_appended_after_a_removal_is_a_new_file)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    rg_files_append(files, "a", RG_BYTES("old"), 1);
    rg_files_remove(files, "a", 2);
    rg_files_append(files, "a", RG_BYTES("new"), 3);
    for (uint64_t i = 1; i <= 3; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    check_content("a", "new");
    RG_CHECK_INT(unlink("a"), 0);
    files_out(files, folder);
}

RG_TEST(replace_is_all_or_nothing)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    rg_files_replace(files, "state", RG_BYTES("one"), 1);
    rg_files_replace(files, "state", RG_BYTES("two two"), 2);
    RG_CHECK_INT(answer_of(files, 1), 0);
    RG_CHECK_INT(answer_of(files, 2), 0);
    check_content("state", "two two");

    /* The file system refuses the write half way: the old content stays, and nothing beside it. */
    struct rlimit before;
    struct rlimit small;
    RG_CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4;
    (void)signal(SIGXFSZ, SIG_IGN);
    RG_CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    rg_files_replace(files, "state", RG_BYTES("three three"), 3);
    int result = answer_of(files, 3);
    RG_CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    RG_CHECK_INT(result, RG_ENOSPC);
    check_content("state", "two two");
    RG_CHECK_INT(access("state.new", F_OK), -1);

    rg_files_replace(files, "state", RG_BYTES("four"), 4);
    RG_CHECK_INT(answer_of(files, 4), 0);
    check_content("state", "four");
    RG_CHECK_INT(unlink("state"), 0);
    files_out(files, folder);
}

RG_TEST(a_file_stays_in_the_directory_it_was_begun_in)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    RG_CHECK_INT(mkdir("d", 0700), 0);
    rg_files_create(files, "a", 1);
    rg_files_append(files, "a", RG_BYTES("above"), 2);
    RG_CHECK_INT(answer_of(files, 1), 0);
    RG_CHECK_INT(answer_of(files, 2), 0);
    rg_files_enter(files, "d", 3);
    RG_CHECK_INT(answer_of(files, 3), 0);
    rg_files_append(files, "a", RG_BYTES(" still"), 4);
    rg_files_append(files, "b", RG_BYTES("below"), 5);
    rg_files_rename(files, "a", "c", 6);
    for (uint64_t i = 4; i <= 6; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    rg_files_enter(files, "missing", 7);
    RG_CHECK_INT(answer_of(files, 7), RG_EIO);
    check_content("b", "below");
    RG_CHECK_INT(chdir(".."), 0);
    check_content("c", "above still");
    RG_CHECK_INT(unlink("d/b"), 0);
    RG_CHECK_INT(unlink("c"), 0);
    RG_CHECK_INT(rmdir("d"), 0);
    files_out(files, folder);
}

RG_TEST(what_could_not_be_written_once_is_not_believed_later)
{
    char folder[32];
    struct rg_files *files = files_in(folder);
    struct rlimit before;

    rg_files_create(files, "a", 1);
    RG_CHECK_INT(answer_of(files, 1), 0);
    RG_CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = before;
    small.rlim_cur = 4;
    (void)signal(SIGXFSZ, SIG_IGN);
    RG_CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    rg_files_append(files, "a", RG_BYTES("123456"), 2);
    int result = answer_of(files, 2);
    RG_CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    RG_CHECK_INT(result, RG_ENOSPC);
    /* There would be room now, but the file has a hole. */
    rg_files_append(files, "a", RG_BYTES("789"), 3);
    rg_files_rename(files, "a", "b", 4);
    RG_CHECK_INT(answer_of(files, 3), RG_ENOSPC);
    RG_CHECK_INT(answer_of(files, 4), RG_ENOSPC);
    RG_CHECK_INT(access("b", F_OK), -1);
    rg_files_create(files, "a", 5);
    rg_files_append(files, "a", RG_BYTES("new"), 6);
    rg_files_rename(files, "a", "b", 7);
    for (uint64_t i = 5; i <= 7; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    check_content("b", "new");
    RG_CHECK_INT(unlink("b"), 0);
    files_out(files, folder);
}

RG_TEST(the_folder_of_a_new_name_is_made_where_it_is_missing)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    rg_files_create(files, "a", 1);
    rg_files_append(files, "a", RG_BYTES("x"), 2);
    rg_files_rename(files, "a", "new/b", 3);
    for (uint64_t i = 1; i <= 3; i++)
        RG_CHECK_INT(answer_of(files, i), 0);
    check_content("new/b", "x");
    rg_files_folder(files, "new", 4);
    RG_CHECK_INT(answer_of(files, 4), 0);
    RG_CHECK_INT(unlink("new/b"), 0);
    RG_CHECK_INT(rmdir("new"), 0);
    files_out(files, folder);
}

RG_TEST(failures_are_told)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    rg_files_append(files, "/dev/full", RG_BYTES("x"), 1);
    RG_CHECK_INT(answer_of(files, 1), RG_ENOSPC);
    rg_files_create(files, "missing/a", 2);
    RG_CHECK_INT(answer_of(files, 2), RG_EIO);
    rg_files_append(files, "missing/a", RG_BYTES("x"), 3);
    RG_CHECK_INT(answer_of(files, 3), RG_EIO);
    rg_files_rename(files, "missing", "b", 4);
    RG_CHECK_INT(answer_of(files, 4), RG_EIO);
    rg_files_replace(files, "missing/a", RG_BYTES("x"), 5);
    RG_CHECK_INT(answer_of(files, 5), RG_EIO);
    RG_CHECK_INT(mkdir("d", 0700), 0);
    rg_files_remove(files, "d", 6);
    RG_CHECK_INT(answer_of(files, 6), RG_EIO);
    RG_CHECK_INT(rmdir("d"), 0);
    files_out(files, folder);
}

RG_TEST(what_was_asked_is_done_before_the_end)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    for (int i = 0; i < 50; i++)
        rg_files_append(files, "a", RG_BYTES("x"), 0);
    rg_files_replace(files, "b", RG_BYTES("last"), 0);
    rg_files_free(files);
    check_content("a", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    check_content("b", "last");
    RG_CHECK_INT(unlink("a"), 0);
    RG_CHECK_INT(unlink("b"), 0);
    files_out(NULL, folder);
}

static struct rg_files_answer read_of(struct rg_files *files, const char *name, uint64_t position,
                                      size_t len)
{
    struct rg_files_answer answer;
    struct pollfd fd = {.fd = rg_files_fd(files), .events = POLLIN};

    rg_files_read(files, name, position, len, 7);
    while (!rg_files_next(files, &answer))
        RG_CHECK_INT(poll(&fd, 1, 5000), 1);
    RG_CHECK(answer.is_read && answer.token == 7);
    return answer;
}

RG_TEST(a_part_of_a_file_is_read)
{
    char folder[32];
    struct rg_files *files = files_in(folder);

    rg_files_replace(files, "a", RG_BYTES("0123456789"), 1);
    RG_CHECK_INT(answer_of(files, 1), 0);
    struct rg_files_answer answer = read_of(files, "a", 3, 4);
    RG_CHECK_BYTES(answer.bytes, "3456");
    RG_CHECK_INT(answer.size, 10);
    answer = read_of(files, "a", 8, 100);
    RG_CHECK_BYTES(answer.bytes, "89");
    answer = read_of(files, "a", 11, 1);
    RG_CHECK_INT(answer.result, 0);
    RG_CHECK_INT(answer.bytes.len, 0);
    answer = read_of(files, "missing", 0, 1);
    RG_CHECK_INT(answer.result, RG_EIO);
    answer = read_of(files, ".", 0, 1);
    RG_CHECK_INT(answer.result, RG_EIO);
    RG_CHECK_INT(unlink("a"), 0);
    files_out(files, folder);
}
