#include "threaded/in_place_tree_exchange.hpp"

#include "core/exchange/sum_tree.hpp"

namespace dp::threaded {

void InPlaceTreeExchange::sum(core::Range own) {
    core::sum_tree(blocks(), own, gradients().data());
}

}  // namespace dp::threaded
