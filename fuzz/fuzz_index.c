// SPDX-License-Identifier: MIT
// fuzz/fuzz_index.c -- any bytes as the index of a snapshot, as they are and with all checksums made
// right, so that lies get past them. The input is the length of the snapshot (u32), the snapshot, the
// index. What the graph keeps then is used by every analysis that looks there.
#include <stdlib.h>
#include <string.h>

#include "analyze/common/histogram.h"
#include "analyze/keepers/retained.h"
#include "analyze/why/why.h"
#include "format/index_impl.h"
#include "fuzz.h"
#include "model/reverse.h"

static void must(bool is_true)
{
    if (!is_true)
        __builtin_trap();
}

static void ask_reverse(const struct rch_graph *g)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_graph plain = *g;
    struct rch_reverse kept, computed;
    plain.derived = NULL;
    must(rch_reverse_init(&kept, g, alloc, NULL) == RCH_OK);
    must(rch_reverse_init(&computed, &plain, alloc, NULL) == RCH_OK);
    must(memcmp(kept.start, computed.start, (g->num_nodes + 1) * sizeof(uint32_t)) == 0);
    must(memcmp(kept.edge, computed.edge, kept.num_refs * sizeof(uint32_t)) == 0);
    must(memcmp(kept.source, computed.source, kept.num_refs * sizeof(rch_node)) == 0);
    rch_reverse_deinit(&computed);
    for (rch_node v = 0; v < g->num_objects && v < 8; v++) {
        const struct rch_question question = {"one", &v, 1};
        struct rch_answer *answer = NULL;
        if (rch_why(g, &kept, &question, NULL, alloc, &answer, NULL) == RCH_OK)
            rch_answer_free(answer);
    }
    rch_reverse_deinit(&kept);
}

static void ask_tree(const struct rch_graph *g)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_type_count *rows;
    struct rch_domtree dom;
    uint64_t *bytes, *by_type;
    uint32_t num;
    if (rch_domtree_init(&dom, g, alloc, NULL, NULL) != RCH_OK)
        return;
    if (rch_retained_bytes(g, &dom, alloc, &bytes, NULL) == RCH_OK) {
        if (rch_retained_by_type(g, &dom, bytes, alloc, &by_type, NULL) == RCH_OK)
            rch_free(alloc, by_type, g->num_types, sizeof(*by_type));
        rch_free(alloc, bytes, (size_t)g->num_nodes + 1, sizeof(*bytes));
    }
    if (rch_histogram(g, alloc, &rows, &num, NULL) == RCH_OK) {
        (void)!rch_histogram_retained(g, alloc, NULL, rows, num, NULL);
        rch_free(alloc, rows, num, sizeof(*rows));
    }
    rch_domtree_deinit(&dom);
}

static void seal(uint8_t *index, size_t num_bytes, const struct rch_file_identity *identity)
{
    struct rch_index_header *header = (void *)index;
    struct rch_index_row *rows = (void *)(header + 1);
    size_t skipped = sizeof(header->magic) + sizeof(header->checksum);
    if (num_bytes < sizeof(*header))
        return;
    memcpy(header->magic, RCH_INDEX_MAGIC, RCH_MAGIC_BYTES);
    header->file_bytes = num_bytes;
    header->snapshot_bytes = identity->bytes;
    header->snapshot_checksum = identity->checksum;
    size_t most = (num_bytes - sizeof(*header)) / sizeof(*rows);
    for (size_t i = 0; i < header->num_columns && i < most; i++) {
        if (rows[i].offset <= num_bytes && rows[i].elem_bytes &&
            rows[i].num <= (num_bytes - rows[i].offset) / rows[i].elem_bytes)
            rows[i].checksum =
                rch_checksum(index + rows[i].offset, rows[i].num * rows[i].elem_bytes);
    }
    if (header->header_bytes >= sizeof(*header) && header->header_bytes <= num_bytes)
        header->checksum = rch_checksum(index + skipped, header->header_bytes - skipped);
}

static void use(const uint8_t *snapshot, size_t snapshot_bytes, uint8_t *index, size_t index_bytes,
                bool is_sealed)
{
    struct rch_file_identity identity;
    struct rch_graph *g;
    if (rch_file_open_bytes(snapshot, snapshot_bytes, false, rch_alloc_default(), NULL, &g, NULL) !=
        RCH_OK)
        return;
    must(rch_file_identity(g, &identity));
    if (is_sealed)
        seal(index, index_bytes, &identity);
    if (rch_derived_attach(g, rch_alloc_default(), NULL) == RCH_OK)
        (void)rch_index_take(g, index, index_bytes, &identity, NULL);
    ask_reverse(g);
    ask_tree(g);
    rch_graph_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes)
{
    uint32_t first = 0;
    if (num_bytes < sizeof(first))
        return 0;
    memcpy(&first, data, sizeof(first));
    data += sizeof(first);
    num_bytes -= sizeof(first);
    if (first > num_bytes)
        return 0;
    size_t rest = num_bytes - first;
    uint8_t *snapshot = malloc(first ? first : 1), *index = malloc(rest ? rest : 1);
    if (snapshot && index) {
        memcpy(snapshot, data, first);
        memcpy(index, data + first, rest);
        use(snapshot, first, index, rest, false);
        use(snapshot, first, index, rest, true);
    }
    free(snapshot);
    free(index);
    return 0;
}
