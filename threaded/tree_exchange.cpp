#include "threaded/tree_exchange.hpp"

#include "core/measure/trace.hpp"

namespace dp::threaded {

TreeExchange::TreeExchange(TeamSetup setup) : TeamExchange(setup) {
    const core::TreeLeaves leaves(world_size());
    std::size_t own = 0;
    while (own < leaves.count && leaves.rank_of(own) != rank()) ++own;
    if (own == leaves.count) return;  // the second of a pair
    std::size_t level = 0;
    if (leaves.pairs != 0) {
        if (own < leaves.pairs) children_.push_back({rank() + 1, level});
        ++level;
    }
    for (std::size_t distance = 1; distance < leaves.count; distance *= 2) {
        if (own % (2 * distance) != 0) break;
        children_.push_back({leaves.rank_of(own + distance), level++});
    }
}

bool TreeExchange::advance() {
    if (children_.empty()) {  // its gradients are the sum of its subtree as they are
        for (; bucket() < handed(); end_bucket()) tell_done();
        return false;
    }
    if (bucket() >= handed() || !has_done(children_[next_].rank, bucket())) return false;
    add(children_[next_]);
    if (++next_ < children_.size()) return true;
    next_ = 0;
    tell_done();
    end_bucket();
    return true;
}

void TreeExchange::add(const Child& child) {
    const core::Range range = buckets()[bucket()];
    core::TraceSpan span(trace(), "reduce",
                         {.kind = core::TraceKind::kTransfer,
                          .bucket = bucket(),
                          .peer = child.rank,
                          .ring_step = child.level,
                          .group = 0,
                          .bytes = range.size * sizeof(float)});
    const float* __restrict from = blocks()[child.rank] + range.offset;
    float* __restrict own = gradients().data() + range.offset;
    for (std::size_t i = 0; i < range.size; ++i) own[i] += from[i];
    count_sent(range.size);
    span.tell();
}

void TreeExchange::await(std::size_t count) {
    if (!children_.empty() && bucket() < count) {
        wait_until_done(children_[next_].rank, bucket());
    } else {
        wait_until_done(0, count - 1);
    }
}

}  // namespace dp::threaded
