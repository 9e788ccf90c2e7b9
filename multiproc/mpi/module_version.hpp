// What module and program must have in common. Included by the source of each that compares them.
#pragma once

namespace dp::multiproc {

/// The number is that of MpiWorld's and core::Channel's layout: another one for every change.
inline constexpr const char* kMpiModuleVersion = DP_VERSION ", interface 3";

}  // namespace dp::multiproc
