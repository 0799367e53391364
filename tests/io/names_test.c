#include "io/names.h"

#include <poll.h>

#include "tests/harness.h"

static struct rg_names_answer ask(struct rg_names *names, const char *host, uint16_t port)
{
    struct rg_names_answer answer = {0};
    struct pollfd fd = {.fd = rg_names_fd(names), .events = POLLIN};
    int user = 0;

    rg_names_ask(names, host, port, &user);
    while (!rg_names_next(names, &answer))
        RG_CHECK_INT(poll(&fd, 1, 30000), 1);
    RG_CHECK(answer.user == &user);
    RG_CHECK(!rg_names_next(names, &answer));
    return answer;
}

RG_TEST(names_get_addresses_with_the_port)
{
    struct rg_names *names = rg_names_new();
    char host[RG_HOST_CHARS];
    uint16_t port = 0;

    RG_CHECK(names != NULL);
    struct rg_names_answer answer = ask(names, "localhost", 6379);
    RG_CHECK(answer.count >= 1);
    for (unsigned i = 0; i < answer.count; i++) {
        RG_CHECK(rg_address_is_loopback(&answer.addresses[i]));
        rg_address_format(&answer.addresses[i], host, &port);
        RG_CHECK_INT(port, 6379);
    }
    answer = ask(names, "127.0.0.1", 1);
    RG_CHECK_INT(answer.count, 1);
    rg_names_free(names);
}

RG_TEST(a_name_without_an_address_is_told)
{
    struct rg_names *names = rg_names_new();

    RG_CHECK_INT(ask(names, "no such name", 1).count, 0);
    rg_names_free(names);
}
