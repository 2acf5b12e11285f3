// How much memory frames get, and how it is divided. With a real switchd: process_memory_test.cpp.
#include "switchd/memory_plan.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/switchd_process.h"
#include "tests/switchd/config_helpers.h"

namespace memory_plan_test {

using namespace lanyard;

namespace {

constexpr std::size_t mebi = limits::mebi;

CommandLine parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"switchd"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("the default memory is the default number of buffers, and the least is the least") {
  CHECK(pool_sizes(limits::memory_bytes_default) == PoolSizes{});
  CHECK(pool_sizes(limits::memory_bytes_min) == PoolSizes{limits::chunks_min, limits::slots_min});
}

TEST_CASE("buffers never take more than the memory there is, use nearly all of it, and are never too few") {
  for (std::size_t bytes = limits::memory_bytes_min; bytes < limits::memory_bytes_max; bytes += bytes / 7) {
    CAPTURE(bytes);
    const PoolSizes sizes = pool_sizes(bytes);
    CHECK(sizes.bytes() <= bytes);
    CHECK(bytes - sizes.bytes() < limits::chunk_bytes);
    CHECK(sizes.chunks >= limits::chunks_min);
    CHECK(sizes.slots >= limits::slots_min);
  }
}

TEST_CASE("by default frames get the default, or what a bound leaves when the rest has its share") {
  const auto of = [](std::size_t bytes) { return memory_by_default(MemoryBound{bytes, "a bound"}); };
  CHECK(memory_by_default({}) == limits::memory_bytes_default);
  CHECK(of(64 * 1024 * mebi) == limits::memory_bytes_default);
  CHECK(of(2048 * mebi) == 1536 * mebi);
  CHECK(of(512 * mebi) == 256 * mebi);
  CHECK(of(1) == limits::memory_bytes_min);
}

TEST_CASE("a size is a number with a unit of 1024s, or of bytes") {
  for (const char* text : {"512M", "512m", "512MB", "512MiB", "536870912", "536870912B", "524288K", "524288kib"}) {
    CAPTURE(text);
    CHECK(parse_size(text) == 512 * mebi);
  }
  CHECK(parse_size("2G") == 2048 * mebi);
  for (const char* text : {"", "M", "-1M", "1.5G", "1 G", "1T", "1MM", "1Mi", "1Gb/s", "0x10", "99999999999999999999",
                           "18446744073709551615K"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("a control group is bounded by itself and by all above it; one without a limit is not") {
  const test::TempFolder folder;
  const std::string root = folder.path("cgroup");
  const auto set = [&](const std::string& group, const std::string& limit) {
    std::filesystem::create_directories(root + group);
    std::ofstream(root + group + "/memory.max") << limit << '\n';
  };
  const auto limit_of = [&](std::string_view group) { return control_group_limit(root, group, "memory.max"); };
  std::filesystem::create_directories(root);
  CHECK_FALSE(limit_of("/"));
  set("/job/step", "max");
  CHECK_FALSE(limit_of("/job/step"));
  set("/job", "1073741824");
  CHECK(limit_of("/job/step") == 1024 * mebi);
  set("/job/step", "536870912");
  CHECK(limit_of("/job/step") == 512 * mebi);
  CHECK(limit_of("/job/step/") == 512 * mebi);
  CHECK(limit_of("/job") == 1024 * mebi);
  CHECK(limit_of("/other") == std::nullopt);
  set("", "268435456");
  CHECK(limit_of("/job/step") == 256 * mebi);
  CHECK(limit_of("") == 256 * mebi);
  set("", "9223372036854771712");  // what version 1 says for none
  CHECK(limit_of("/other") == std::nullopt);
  set("", "nonsense");
  CHECK(limit_of("/other") == std::nullopt);
}

TEST_CASE("memory is a setting of the command line and of YAML, and what is wrong with it is said") {
  CHECK(parse({"--memory", "512M", "tcp-listen:1"}).config.memory_bytes == 512 * mebi);
  CHECK_FALSE(parse({"tcp-listen:1"}).config.memory_bytes);
  CHECK(parse_yaml("memory: 2G").config.memory_bytes == 2048 * mebi);
  CHECK(parse_yaml("memory: 1M").errors == Lines{"lan.yaml:1:9: memory: expected 39 MiB to 65536 MiB, not '1M'"});
  for (const char* text : {"38M", "40", "65G", "lots", ""}) {
    CAPTURE(text);
    const CommandLine line = parse({"--memory", text, "tcp-listen:1"});
    CHECK(line.exit_code == 2);
    CHECK(line.output.find("switchd: --memory") == 0);
  }
  CHECK(parse({"--memory", "38M", "tcp-listen:1"}).output.find("expected 39 MiB to 65536 MiB, not '38M'") !=
        std::string::npos);
}

}  // namespace memory_plan_test
