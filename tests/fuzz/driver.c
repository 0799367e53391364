#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Runs a fuzz target's corpus as an ordinary test: the empty input, then each file of the folders
 * given, whole and cut short at every byte (of the first CUTS), for a cut is what a network does.
 * Prints TAP.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_BYTES = 4096, CUTS = 512 };

/* A copy of exactly size bytes, so that a sanitizer sees a read past the end. */
static void driver_feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static uint8_t *driver_read(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    size_t cap = 0;

    if (file == NULL)
        return NULL;
    for (;;) {
        if (size == cap) {
            cap = cap > 0 ? cap * 2 : 65536;
            uint8_t *larger = realloc(data, cap);
            if (larger == NULL)
                abort();
            data = larger;
        }
        size_t n = fread(data + size, 1, cap - size, file);
        if (n == 0)
            break;
        size += n;
    }
    (void)fclose(file);
    *ret_size = size;
    return data;
}

static void driver_run_file(const char *path)
{
    size_t size = 0;
    uint8_t *data = driver_read(path, &size);

    if (data == NULL)
        return;
    driver_feed(data, size);
    for (size_t cut = 0; cut < size && cut < CUTS; cut++)
        driver_feed(data, cut);
    free(data);
}

/* Returns the number of files it ran. */
static int driver_run_folder(const char *folder, int count)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (dir == NULL)
        return count;
    while ((entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): one thread
        char path[PATH_BYTES];
        if (entry->d_name[0] == '.')
            continue;
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (len < 0 || len >= (int)sizeof(path))
            continue;
        driver_run_file(path);
        printf("ok %d - %s\n", ++count, entry->d_name);
        (void)fflush(stdout);
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int count = 1;

    driver_feed((const uint8_t *)"", 0);
    printf("ok 1 - empty\n");
    for (int i = 1; i < argc; i++)
        count = driver_run_folder(argv[i], count);
    printf("1..%d\n", count);
    return 0;
}
