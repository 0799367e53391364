#include "io/socket.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness.h"

static void check_address(const char *text, bool loopback)
{
    struct rg_address address;
    char host[RG_HOST_CHARS];
    uint16_t port = 0;

    RG_CHECK_INT(rg_address_parse(text, 6379, &address), 0);
    rg_address_format(&address, host, &port);
    RG_CHECK_STR(host, text);
    RG_CHECK_INT(port, 6379);
    RG_CHECK_INT(rg_address_is_loopback(&address), loopback);
}

RG_TEST(addresses_go_both_ways)
{
    check_address("127.0.0.1", true);
    check_address("127.9.9.9", true);
    check_address("10.0.0.1", false);
    check_address("::1", true);
    check_address("2001:db8::1", false);
}

RG_TEST(mapped_addresses_read_as_ipv4)
{
    struct rg_address address;
    char host[RG_HOST_CHARS];
    uint16_t port = 0;

    RG_CHECK_INT(rg_address_parse("::ffff:127.0.0.1", 1, &address), 0);
    rg_address_format(&address, host, &port);
    RG_CHECK_STR(host, "127.0.0.1");
    RG_CHECK(rg_address_is_loopback(&address));
}

RG_TEST(names_are_no_addresses)
{
    struct rg_address address;

    RG_CHECK_INT(rg_address_parse("localhost", 1, &address), RG_EINVAL);
    RG_CHECK_INT(rg_address_parse("1.2.3", 1, &address), RG_EINVAL);
    RG_CHECK_INT(rg_address_parse("", 1, &address), RG_EINVAL);
}

static uint16_t port_of(int fd)
{
    struct rg_address address;
    char host[RG_HOST_CHARS];
    uint16_t port = 0;

    rg_socket_local(fd, &address);
    rg_address_format(&address, host, &port);
    return port;
}

RG_TEST(both_families_listen_side_by_side_and_a_taken_port_is_told)
{
    struct rg_buf error = {0};
    int v4 = rg_socket_listen_tcp("127.0.0.1", 0, 16, &error);

    RG_CHECK(v4 >= 0);
    uint16_t port = port_of(v4);
    int v6 = rg_socket_listen_tcp("::1", port, 16, &error);
    RG_CHECK(v6 >= 0 || v6 == RG_ENOENT);
    rg_buf_reset(&error, 0);
    RG_CHECK_INT(rg_socket_listen_tcp("127.0.0.1", port, 16, &error), RG_EEXIST);
    RG_CHECK_BYTES(rg_buf_view(&error), "bind: Address already in use");
    rg_buf_reset(&error, 0);
    RG_CHECK_INT(rg_socket_listen_tcp("192.0.2.1", port, 16, &error), RG_ENOENT);
    RG_CHECK_BYTES(rg_buf_view(&error), "bind: Cannot assign requested address");
    rg_buf_fini(&error);
    (void)close(v4);
    if (v6 >= 0)
        (void)close(v6);
}

RG_TEST(a_unix_socket_gets_its_mode_and_replaces_an_old_one)
{
    struct rg_buf error = {0};
    struct stat st;
    char path[64];

    (void)snprintf(path, sizeof(path), "socket_test.%d.sock", (int)getpid());
    for (int i = 0; i < 2; i++) {
        int fd = rg_socket_listen_unix(path, 0700, 16, &error);
        RG_CHECK(fd >= 0);
        RG_CHECK_INT(stat(path, &st), 0);
        RG_CHECK_INT(st.st_mode & 0777, 0700);
        (void)close(fd);
    }
    RG_CHECK_INT(unlink(path), 0);
    char longer[200];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    RG_CHECK_INT(rg_socket_listen_unix(longer, 0, 16, &error), RG_EINVAL);
    rg_buf_fini(&error);
}
