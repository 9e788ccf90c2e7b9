#include "experiments/text/output.hpp"

#include <cstdio>

namespace dp::experiments {

void print_line(const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace dp::experiments
