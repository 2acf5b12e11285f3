// Leases on disk: what is saved is loaded, and no file, however odd, is taken for leases or lost by accident.
#include "switchd/gateway/lease_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <limits>

#include "tests/gateway/temporary_folder.h"

namespace lease_file_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

std::vector<Lease> two_leases() {
  return {{*parse_mac("52:54:00:00:00:01"), *parse_ipv4("10.0.2.15"), "web", Lease::State::bound, 1'700'000'000},
          {*parse_mac("52:54:00:00:00:02"), *parse_ipv4("10.0.2.16"), "", Lease::State::bound, 1'700'003'600}};
}

bool same(const std::vector<Lease>& a, const std::vector<Lease>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Lease& one, const Lease& other) {
    return one.mac == other.mac && one.address == other.address && one.name == other.name &&
           one.state == other.state && one.expires_s == other.expires_s;
  });
}

// The leases of a file; says what is wrong where it is no such file.
std::string loaded(const std::string& path, std::vector<Lease>& leases) {
  std::string wrong;
  leases = load_leases(path, wrong);
  return wrong;
}

bool is_lease_text(const std::string& text) {
  std::vector<Lease> leases;
  return read_lease_text(text, leases);
}

std::string one(const std::string& fields) { return R"({"version": 1, "leases": [{)" + fields + "}]}"; }

}  // namespace

TEST_CASE("what is saved is loaded") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  std::vector<Lease> leases;
  CHECK(save_leases(path, two_leases()).empty());
  CHECK(loaded(path, leases).empty());
  CHECK(same(leases, two_leases()));
  CHECK(save_leases(path, {}).empty());
  CHECK(loaded(path, leases).empty());
  CHECK(leases.empty());
}

TEST_CASE("a file that is not there has no leases, and that is no mistake") {
  const TemporaryFolder folder;
  std::vector<Lease> leases = two_leases();
  CHECK(loaded(folder.file("leases"), leases).empty());
  CHECK(leases.empty());
}

TEST_CASE("the file of leases is read by its owner only, and nothing is left beside it") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  REQUIRE(save_leases(path, two_leases()).empty());
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a reader finds the old file or the new one, whole") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  REQUIRE(save_leases(path, two_leases()).empty());
  std::ifstream reader(path, std::ios::binary);  // as one that has just begun
  REQUIRE(save_leases(path, {}).empty());
  const std::string old((std::istreambuf_iterator<char>(reader)), std::istreambuf_iterator<char>());
  CHECK(old == write_lease_text(two_leases()));
  CHECK(read_file(path) == write_lease_text({}));
}

TEST_CASE("what an interrupted write left behind is in nobody's way") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  REQUIRE(save_leases(path, two_leases()).empty());
  write_file(path + ".new", std::string(100'000, 'x'));
  std::vector<Lease> leases;
  CHECK(loaded(path, leases).empty());
  CHECK(same(leases, two_leases()));
  CHECK(save_leases(path, {two_leases()[0]}).empty());
  CHECK(loaded(path, leases).empty());
  CHECK(leases.size() == 1);
}

TEST_CASE("leases that cannot be saved leave the file as it was and say why") {
  const TemporaryFolder folder;
  const std::string missing = folder.file("missing/leases");
  CHECK(save_leases(missing, two_leases()).find("No such file or directory") != std::string::npos);
  CHECK(save_leases(missing, two_leases()).find(missing) != std::string::npos);

  const std::string path = folder.file("leases");
  REQUIRE(save_leases(path, two_leases()).empty());
  std::filesystem::create_directory(path + ".new");
  CHECK_FALSE(save_leases(path, {}).empty());
  CHECK(read_file(path) == write_lease_text(two_leases()));
}

TEST_CASE("what could not be written whole, or not put in its place, is not left behind") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  SECTION("a folder is in its place") {
    std::filesystem::create_directory(path);
    CHECK(save_leases(path, two_leases()).find("cannot replace " + path) != std::string::npos);
  }
  SECTION("the disk is full") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{20, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string wrong = save_leases(path, two_leases());
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)std::signal(SIGXFSZ, handler);
    CHECK(wrong.find("cannot write " + path + ".new") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("a file of leases is one gateway's, whatever is written to it, until that ends") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  const std::chrono::milliseconds no_time{0};
  LeaseLock first = lock_leases(path, no_time);
  CHECK(first.held);
  CHECK(first.wrong.empty());
  REQUIRE(save_leases(path, two_leases()).empty());
  const LeaseLock second = lock_leases(path, no_time);
  CHECK(second.is_anothers);
  CHECK_FALSE(second.held);
  CHECK(second.wrong.find(path + " is in use by another gateway") != std::string::npos);
  CHECK(lock_leases(folder.file("leases of another port"), no_time).held);
  first.held.reset();
  CHECK(lock_leases(path, no_time).held);
}

TEST_CASE("a lock that there cannot be is told, and is nobody else's") {
  const TemporaryFolder folder;
  const LeaseLock lock = lock_leases(folder.file("missing/leases"));
  CHECK_FALSE(lock.is_anothers);
  CHECK(lock.wrong.find("missing/leases.lock: No such file or directory") != std::string::npos);
}

TEST_CASE("nothing is written through a link that somebody has put there") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases"), victim = folder.file("victim");
  write_file(victim, "precious");
  std::filesystem::create_symlink(victim, path + ".new");
  CHECK_FALSE(save_leases(path, two_leases()).empty());
  CHECK(read_file(victim) == "precious");
}

TEST_CASE("a file that is no leases is told, has none, and stays as it is") {
  const TemporaryFolder folder;
  const std::string path = folder.file("leases");
  const std::string good = write_lease_text(two_leases());
  for (const std::string& text :
       {std::string(), std::string("garbage"), good.substr(0, good.size() / 2), good + good, std::string(70'000, '['),
        std::string(5'000'000, ' '), std::string("\0\0\0", 3)}) {
    CAPTURE(text.substr(0, 40));
    write_file(path, text);
    std::vector<Lease> leases = two_leases();
    const std::string wrong = loaded(path, leases);
    CHECK(wrong.find(path) != std::string::npos);
    CHECK(leases.empty());
    CHECK(read_file(path) == text);
  }
}

TEST_CASE("what cannot be read is told") {
  const TemporaryFolder folder;
  std::vector<Lease> leases;
  const std::string wrong = loaded(folder.path().string(), leases);  // a folder
  CHECK(wrong.find("Is a directory") != std::string::npos);
  CHECK(loaded(folder.file("file/leases"), leases).empty());
  write_file(folder.file("file"), "");
  CHECK(loaded(folder.file("file/leases"), leases).find("Not a directory") != std::string::npos);
}

TEST_CASE("a lease in a file has a MAC address, an IPv4 address, a name and an end") {
  const std::string mac = R"("mac": "52:54:00:00:00:01")", address = R"("address": "10.0.2.15")",
                    name = R"("name": "web")", expires = R"("expires": 1700000000)";
  CHECK(is_lease_text(one(mac + "," + address + "," + name + "," + expires)));
  for (const std::string& fields : {
           address + "," + name + "," + expires,
           mac + "," + name + "," + expires,
           mac + "," + address + "," + expires,
           mac + "," + address + "," + name,
           R"("mac": "52:54:00:00:00")" "," + address + "," + name + "," + expires,
           R"("mac": 1)" "," + address + "," + name + "," + expires,
           mac + R"(,"address": "10.0.2",)" + name + "," + expires,
           mac + R"(,"address": null,)" + name + "," + expires,
           mac + "," + address + R"(,"name": 1,)" + expires,
           mac + "," + address + "," + name + R"(,"expires": "1700000000")",
           mac + "," + address + "," + name + R"(,"expires": null)",
           mac + "," + address + "," + name + R"(,"expires": true)",
           mac + "," + address + "," + name + R"(,"expires": 1.5)",
           mac + "," + address + "," + name + R"(,"expires": 1e300)",
       }) {
    CAPTURE(fields);
    CHECK_FALSE(is_lease_text(one(fields)));
  }
}

TEST_CASE("a file of another version, or of another form, is none of ours") {
  for (const char* text : {R"({"version": 2, "leases": []})", R"({"version": "1", "leases": []})", R"({"leases": []})",
                           R"({"version": 1})", R"([])", R"(null)", R"(1)", R"({"version": 1, "leases": [1]})",
                           R"({"version": 1, "leases": [[]]})", R"({"version": 1, "leases": 7})",
                           R"({"version": 1, "leases": {"a": 1}})", R"({"version": 1, "leases": "none"})"}) {
    CAPTURE(text);
    CHECK_FALSE(is_lease_text(text));
  }
  CHECK(is_lease_text(R"({"version": 1, "leases": []})"));
}

TEST_CASE("text that is no leases leaves no half of them behind") {
  std::vector<Lease> leases;
  const std::string good = write_lease_text(two_leases());
  const std::size_t second = good.rfind("10.0.2.16");
  REQUIRE(second != std::string::npos);
  CHECK_FALSE(read_lease_text(std::string(good).replace(second, 9, "nowhere.."), leases));
  CHECK(leases.empty());
}

TEST_CASE("leases are written whatever a name or a number is") {
  std::vector<Lease> odd = two_leases();
  odd[0].name = "quote\" back\\slash \n\x01";
  odd[0].expires_s = std::numeric_limits<std::int64_t>::max();
  odd[1].expires_s = std::numeric_limits<std::int64_t>::min();
  std::vector<Lease> leases;
  REQUIRE(read_lease_text(write_lease_text(odd), leases));
  CHECK(same(leases, odd));
  odd[0].name = "\xFF\xC3";  // no text at all
  leases.clear();
  CHECK(read_lease_text(write_lease_text(odd), leases));
}

}  // namespace lease_file_test
