// What most files include, parsed once. It changes nothing but the time of a build: every file still includes what it
// uses, and must compile without this (cmake -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON).
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// libfmt.so has it compiled; without this line every file that logs compiles 70 KB of it, its floating-point numbers
// and all, for two seconds. FMT_SHARED: not where fmt is used as headers only.
#ifdef FMT_SHARED
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                                   fmt::detail::locale_ref);
#endif
