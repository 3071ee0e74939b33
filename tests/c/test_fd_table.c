// SPDX-License-Identifier: MIT
// Claims about open descriptors: whose they are, and which of them are alike.
#include <stdio.h>
#include <string.h>

#include "analyze/why/fd_holder.h"
#include "analyze/why/fd_table.h"
#include "support.h"

static struct rch_fd_table *table_of(const struct rch_graph *g)
{
    struct rch_fd_table *table = NULL;
    struct rch_error err = {0};
    assert_ok(rch_fd_table(g, NULL, rch_alloc_default(), &table, &err), &err);
    return table;
}

/// "fds kind state place owner/holder", a group a line, most descriptors first.
static const char *groups(const struct rch_graph *g)
{
    static const char *const places[] = {"", "to ", "at ", "path ", "in "};
    static char text[4096];
    struct rch_fd_table *table = table_of(g);
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < table->num_groups; i++) {
        const struct rch_fd_group *group = &table->groups[i];
        for (uint32_t k = 0; k < group->num_rows; k++)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%d", k ? "," : "",
                                   table->rows[group->rows[k]].fd);
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s %s [%s%s] %s/%s\n",
                               group->is_listed ? rch_fd_kind_word(group->kind) : "?", group->state,
                               places[group->place_kind], group->place,
                               group->owner ? group->owner : "-",
                               group->holder ? group->holder : "-");
    }
    rch_fd_table_free(table);
    return text;
}

/// The type that names the owner `a`, or "-".
static const char *holder(const struct rch_graph *g, bool only_layers)
{
    static char text[256];
    struct rch_reverse rev;
    assert_ok(rch_reverse_init(&rev, g, rch_alloc_default(), NULL), NULL);
    uint32_t type = rch_fd_holder_type(g, &rev, NULL, graph_node(g, "a"), only_layers);
    snprintf(text, sizeof(text), "%s",
             type == UINT32_MAX ? "-" : rch_str_get(g, g->types[type].name));
    rch_reverse_deinit(&rev);
    return text;
}

// ---- whose it is --------------------------------------------------------------------------------

static void the_object_with_the_socket_is_told_also_through_containers(void **state)
{
    assert_string_equal(
        holder(graph_of(state, "a::socket.socket t::amqp.TCPTransport", "@module.m>t t._sock>a"),
               false),
        "TCPTransport");
    assert_string_equal(holder(graph_of(state, "a::socket.socket t::pool.Pool d::dict l::list",
                                        "@module.m>t t.__dict__+forward>d d{k}>l l[]>a"),
                               false),
                        "Pool");
    assert_string_equal(holder(graph_of(state, "a::socket.socket", "@module.m>a"), false), "-");
}

static void layers_of_io_are_looked_through_and_told_when_nothing_else_has_them(void **state)
{
    const char *nodes =
        "a::_io.FileIO b::_io.BufferedReader t::_io.TextIOWrapper p::subprocess.Popen";
    assert_string_equal(holder(graph_of(state, nodes, "t-field.buffer>b b-field.raw>a t>a"), false),
                        "TextIOWrapper");
    assert_string_equal(
        holder(graph_of(state, nodes, "p.stdout>t t-field.buffer>b b-field.raw>a t>a"), false),
        "Popen");
    assert_string_equal(
        holder(graph_of(state, nodes, "p.stdout>t t-field.buffer>b b-field.raw>a t>a"), true),
        "TextIOWrapper");
}

static void what_only_waits_for_a_socket_or_looks_at_it_does_not_have_it(void **state)
{
    assert_string_equal(
        holder(graph_of(state,
                        "a::socket.socket k::selectors.SelectorKey w::cache.Watcher "
                        "th::threading.Thread f::frame",
                        "@module.m>k k[]>a w~a th.arg>a f-local.s>a"),
               false),
        "-");
}

static void the_nearest_one_counts_and_of_those_the_first_name(void **state)
{
    assert_string_equal(holder(graph_of(state,
                                        "a::socket.socket far::app.A near::app.Z other::app.Y "
                                        "l::list",
                                        "far.all>l l[]>a near.s>a other.s>a"),
                               false),
                        "Y");
}

static void a_guess_counts_only_where_nothing_is_sure(void **state)
{
    assert_string_equal(holder(graph_of(state, "a::socket.socket g::ext.G b::app.B l::list",
                                        "g-reference+guessed>a b.all>l l[]>a"),
                               false),
                        "B");
    assert_string_equal(
        holder(graph_of(state, "a::socket.socket g::ext.G", "g-reference+guessed>a"), false), "G");
}

static void an_endless_crowd_of_referrers_ends(void **state)
{
    char edges[8192] = "";
    for (int i = 0; i < 300; i++)
        snprintf(edges + strlen(edges), sizeof(edges) - strlen(edges), "l%d[]>a ", i);
    char nodes[8192] = "a::socket.socket ";
    for (int i = 0; i < 300; i++)
        snprintf(nodes + strlen(nodes), sizeof(nodes) - strlen(nodes), "l%d::list ", i);
    assert_string_equal(holder(graph_of(state, nodes, edges), false), "-");
    assert_string_equal(
        holder(graph_of(state, "a::socket.socket l::list m::list", "l[]>a l[]>m m[]>l"), false),
        "-");
}

// ---- rows ---------------------------------------------------------------------------------------

static void the_main_owner_is_the_socket_not_the_file_around_it(void **state)
{
    struct rch_graph *g = graph_of(state,
                                   "f::_io.FileIO c::multiprocessing.connection.Connection "
                                   "s::socket.socket",
                                   "@module.m>f @module.m>c @module.m>s %7,socket,TCP f%7 c%7 s%7");
    struct rch_fd_table *table = table_of(g);
    assert_int_equal(table->num_rows, 1);
    assert_int_equal(table->rows[0].num_owners, 3);
    assert_int_equal(table->rows[0].owners[0], graph_node(g, "s"));
    assert_int_equal(table->rows[0].owners[1], graph_node(g, "c"));
    assert_int_equal(table->rows[0].owners[2], graph_node(g, "f"));
    assert_int_equal(table->groups[0].num_owners, 1);
    rch_fd_table_free(table);
}

static void a_number_that_is_not_open_is_told(void **state)
{
    assert_string_equal(groups(graph_of(state, "s::socket.socket t::socket.socket",
                                        "@module.m>s @module.m>t %3,file,,,/x s%9 t%1")),
                        "1,9 ? not open [] socket.socket/-\n"
                        "3 file  [path /x] -/-\n");
}

static void without_the_list_only_owners_are_known(void **state)
{
    struct rch_graph *g = graph_of(state, "s::socket.socket t::socket.socket c::app.C",
                                   "@module.m>c @module.m>t c.s>s s%9 t%1");
    assert_string_equal(groups(g), "1 ?  [] socket.socket/-\n9 ?  [] socket.socket/app.C\n");
    struct rch_fd_table *table = table_of(g);
    assert_false(table->has_list);
    assert_int_equal(table->num_unowned, 0);
    rch_fd_table_free(table);
    assert_string_equal(groups(graph_of(state, "s", "@module.m>s")), "");
}

// ---- groups -------------------------------------------------------------------------------------

static void sockets_to_one_peer_are_alike_whatever_their_own_ports(void **state)
{
    assert_string_equal(
        groups(graph_of(state, "a::socket.socket b::socket.socket c::socket.socket x::app.X",
                        "@module.m>x x.p>a x.q>b x.r>c a%4 b%5 c%6 "
                        "%4,socket,TCP,ESTABLISHED,127.0.0.1:100,127.0.0.1:5672 "
                        "%5,socket,TCP,ESTABLISHED,127.0.0.1:101,127.0.0.1:5672 "
                        "%6,socket,TCP,CLOSE_WAIT,127.0.0.1:102,127.0.0.1:5672")),
        "4,5 socket ESTABLISHED [to 127.0.0.1:5672] socket.socket/app.X\n"
        "6 socket CLOSE_WAIT [to 127.0.0.1:5672] socket.socket/app.X\n");
}

static void connections_of_a_server_are_alike_in_its_own_address(void **state)
{
    assert_string_equal(groups(graph_of(state, "a::socket.socket b::socket.socket",
                                        "@module.m>a @module.m>b a%4 b%5 "
                                        "%3,socket,TCP,LISTEN,0.0.0.0:80 "
                                        "%4,socket,TCP,ESTABLISHED,10.0.0.1:80,10.0.0.7:1001 "
                                        "%5,socket,TCP,ESTABLISHED,10.0.0.1:80,10.0.0.8:1002")),
                        "4,5 socket ESTABLISHED [at 10.0.0.1:80] socket.socket/-\n"
                        "3 socket LISTEN [at 0.0.0.0:80] -/-\n");
}

static void descriptors_at_the_other_end_are_no_place(void **state)
{
    assert_string_equal(groups(graph_of(state, "a",
                                        "@module.m>a "
                                        "%4,socket,UNIX~stream,CONNECTED,,fd~5 "
                                        "%5,socket,UNIX~stream,CONNECTED,,fd~4 "
                                        "%6,socket,UNIX~stream,CONNECTED,,pid~812~fd~4 "
                                        "%7,socket,UNIX~stream,CONNECTED,,/run/x.sock "
                                        "%8,pipe,,read~end,pipe~1,fd~9 "
                                        "%9,pipe,,write~end,pipe~1,fd~8")),
                        "4,5,6 socket CONNECTED [] -/-\n"
                        "7 socket CONNECTED [to /run/x.sock] -/-\n"
                        "8 pipe read end [] -/-\n"
                        "9 pipe write end [] -/-\n");
}

static void many_files_of_one_directory_are_told_as_the_directory(void **state)
{
    assert_string_equal(
        groups(graph_of(state, "a",
                        "@module.m>a %1,file,,,/d/a %2,file,,,/d/b %3,file,,,/d/c "
                        "%4,file,,,/d/d %5,file,,,/e/a %6,file,,,/e/b %7,file,,,/e/b")),
        "1,2,3,4 file  [in /d] -/-\n"
        "6,7 file  [path /e/b] -/-\n"
        "5 file  [path /e/a] -/-\n");
}

static void owners_of_another_type_are_another_group(void **state)
{
    assert_string_equal(
        groups(graph_of(state,
                        "a::socket.socket b::socket.socket c::ssl.SSLSocket x::app.X y::app.Y",
                        "@module.m>x @module.m>y x.s>a y.s>b y.t>c a%4 b%5 c%6 "
                        "%4,socket,TCP,ESTABLISHED,h:1,h:9 %5,socket,TCP,ESTABLISHED,h:2,h:9 "
                        "%6,socket,TCP,ESTABLISHED,h:3,h:9")),
        "4 socket ESTABLISHED [to h:9] socket.socket/app.X\n"
        "5 socket ESTABLISHED [to h:9] socket.socket/app.Y\n"
        "6 socket ESTABLISHED [to h:9] ssl.SSLSocket/app.Y\n");
}

static void sqlite_is_named_for_files_of_its_own_that_nobody_owns(void **state)
{
    struct rch_graph *g =
        graph_of(state, "c::sqlite3.Connection f::_io.FileIO",
                 "@module.m>c @module.m>f f%5 %3,file,,,/d/app.db-wal %4,file,,,/d/x.txt "
                 "%5,file,,,/d/own.db");
    struct rch_fd_table *table = table_of(g);
    for (uint32_t i = 0; i < table->num_groups; i++) {
        const struct rch_fd_group *group = &table->groups[i];
        if (group->rows[0] == 0)
            assert_non_null(strstr(group->note, "1 sqlite3.Connection is alive"));
        else
            assert_null(group->note);
    }
    rch_fd_table_free(table);
}

// ---- holders ------------------------------------------------------------------------------------

static struct rch_graph *story(void **state)
{
    return graph_of(
        state,
        "l::list s0::socket.socket s1::socket.socket t0::amqp.Transport "
        "t1::amqp.Transport f::_io.FileIO",
        "@module.m-attribute.all>l l[]>t0 l[]>t1 t0._sock>s0 t1._sock>s1 @module.n-attribute.log>f "
        "%3,socket,TCP,ESTABLISHED,h:1,h:5672 %4,socket,TCP,ESTABLISHED,h:2,h:5672 "
        "%5,file,,,/log %6,file,,,/inherited s0%3 s1%4 f%5");
}

static void each_group_with_owners_is_asked_who_holds_them(void **state)
{
    struct rch_graph *g = story(state);
    struct rch_fd_table *table = table_of(g);
    assert_ok(rch_fd_table_why(table, g, NULL, UINT32_MAX, NULL, NULL), NULL);
    assert_int_equal(table->num_groups, 3);
    const struct rch_answer *sockets = table->groups[0].answer, *log = table->groups[1].answer;
    assert_string_equal(sockets->question, "socket.socket");
    assert_int_equal(sockets->objects, 2);
    assert_int_equal(sockets->num_holders, 1);
    assert_string_equal(sockets->holders[0].root_name, "m");
    assert_int_equal(log->objects, 1);
    assert_string_equal(log->holders[0].root_name, "n");
    assert_null(table->groups[2].answer);
    rch_fd_table_free(table);
    table = table_of(g);
    assert_ok(rch_fd_table_why(table, g, NULL, 1, NULL, NULL), NULL);
    assert_non_null(table->groups[0].answer);
    assert_null(table->groups[1].answer);
    rch_fd_table_free(table);
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    struct rch_graph *g = story(state);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_fd_table *table = NULL;
        if (ok_or_enomem(rch_fd_table(g, NULL, alloc, &table, NULL)))
            assert_ok_or_enomem(rch_fd_table_why(table, g, NULL, 2, NULL, NULL));
        rch_fd_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(the_object_with_the_socket_is_told_also_through_containers),
        graph_test(layers_of_io_are_looked_through_and_told_when_nothing_else_has_them),
        graph_test(what_only_waits_for_a_socket_or_looks_at_it_does_not_have_it),
        graph_test(the_nearest_one_counts_and_of_those_the_first_name),
        graph_test(a_guess_counts_only_where_nothing_is_sure),
        graph_test(an_endless_crowd_of_referrers_ends),
        graph_test(the_main_owner_is_the_socket_not_the_file_around_it),
        graph_test(a_number_that_is_not_open_is_told),
        graph_test(without_the_list_only_owners_are_known),
        graph_test(sockets_to_one_peer_are_alike_whatever_their_own_ports),
        graph_test(connections_of_a_server_are_alike_in_its_own_address),
        graph_test(descriptors_at_the_other_end_are_no_place),
        graph_test(many_files_of_one_directory_are_told_as_the_directory),
        graph_test(owners_of_another_type_are_another_group),
        graph_test(sqlite_is_named_for_files_of_its_own_that_nobody_owns),
        graph_test(each_group_with_owners_is_asked_who_holds_them),
        graph_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
