// The TFTP server: whole files of every length, what is lost and doubled on the way, and what nobody may read.
#include "switchd/gateway/tftp_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "frames/bytes.h"
#include "tests/gateway/temporary_folder.h"

namespace tftp_server_test {

using namespace lanyard;
using namespace lanyard::test;
using namespace std::string_literals;

namespace {

constexpr std::int64_t start = 1000;

Udp4Endpoint client(unsigned n, std::uint16_t port = 2000) {
  return {MacAddress(0x5254'0000'0000ULL + n), Ipv4Address(0x0A00'0200U + n), port};
}

std::string read_request(const std::string& file, const std::string& options = "",
                         const std::string& mode = "octet") {
  return "\0\1"s + file + "\0"s + mode + "\0"s + options;
}

std::string ack(std::uint16_t block) {
  return "\0\4"s + static_cast<char>(block >> 8) + static_cast<char>(block & 255);
}

std::string content_of(std::size_t bytes) {
  std::string content(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  return content;
}

struct Server {
  Server() {
    REQUIRE(TftpServer::check_folder(folder.path().string()) == "");
    tftp.serve(folder.path().string());
  }
  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    write_file(folder.file(name), content);
  }
  void take(const std::string& message, std::int64_t at = start, const Udp4Endpoint& from = client(15)) {
    tftp.take(from, std::as_bytes(std::span(message)), at);
  }
  // The one message that was sent since the last time; empty: none.
  std::string sent() {
    REQUIRE(messages.size() <= 1);
    const std::string message = messages.empty() ? std::string() : messages[0];
    messages.clear();
    return message;
  }
  // What a client gets that acknowledges all: the file.
  std::string fetch(const std::string& name, std::size_t block_bytes = 512, const std::string& options = "",
                    const std::string& mode = "octet");
  // The text of the error that answers a request for `name`.
  std::string refusal(const std::string& name) {
    take(read_request(name));
    const std::string message = sent();
    return message.starts_with("\0\5"s) ? message.substr(4, message.size() - 5) : "";
  }

  TemporaryFolder folder;
  std::vector<std::string> messages;
  std::vector<std::string> reports;
  TftpServer tftp{1468,
                  [this](const Udp4Endpoint&, std::span<const std::byte> message) {
                    messages.emplace_back(reinterpret_cast<const char*>(message.data()), message.size());
                  },
                  [this](const std::string& line) { reports.push_back(line); }};
};

std::string Server::fetch(const std::string& name, std::size_t block_bytes, const std::string& options,
                          const std::string& mode) {
  take(read_request(name, options, mode));
  std::string file;
  std::string message = sent();
  if (message.starts_with("\0\6"s)) {
    take(ack(0));
    message = sent();
  }
  for (std::uint16_t block = 1;; ++block) {
    REQUIRE(message.starts_with("\0\3"s));
    REQUIRE(load_be16(reinterpret_cast<const std::byte*>(message.data()) + 2) == block);
    file += message.substr(4);
    take(ack(block));
    if (message.size() - 4 < block_bytes) break;
    message = sent();
  }
  CHECK(sent().empty());  // it has ended
  return file;
}

}  // namespace

TEST_CASE("a file of any length arrives whole, and its end is seen") {
  Server server;
  for (const std::size_t bytes : {0UL, 1UL, 511UL, 512UL, 513UL, 1024UL, 100'000UL}) {
    CAPTURE(bytes);
    server.write("file", content_of(bytes));
    CHECK(server.fetch("file") == content_of(bytes));
  }
  CHECK(server.reports.empty());
}

TEST_CASE("a file of more than 65535 blocks arrives whole") {
  Server server;
  server.write("large", content_of(65536 * 8 + 20));
  CHECK(server.fetch("large", 8, "blksize\0008\0"s) == content_of(65536 * 8 + 20));
}

TEST_CASE("options are agreed on before the first block, a block size up to what fits a frame") {
  Server server;
  server.write("file", content_of(5000));
  server.take(read_request("file", "tsize\0000\0blksize\00065464\0timeout\0003\0"s));
  CHECK(server.sent() == "\0\6blksize\0001468\0timeout\0003\0tsize\0005000\0"s);
  CHECK(server.fetch("file", 1468, "blksize\00065464\0"s) == content_of(5000));
  CHECK(server.fetch("file", 1432, "blksize\0001432\0"s) == content_of(5000));
  server.take(read_request("file", "timeout\000255\0windowsize\00016\0"s));  // unknown, and too long: not agreed to
  CHECK(server.sent().starts_with("\0\3\0\1"s));
}

TEST_CASE("what is not acknowledged is sent again, a few times, and then no more") {
  Server server;
  server.write("file", content_of(600));
  server.take(read_request("file"));
  const std::string first = server.sent();
  std::int64_t now = start;
  for (unsigned tries = 1; tries < TftpServer::tries_max; ++tries) {
    server.tftp.poll(now + TftpServer::timeout_ms - 1);
    CHECK(server.sent().empty());
    now += TftpServer::timeout_ms;
    server.tftp.poll(now);
    CHECK(server.sent() == first);
  }
  PollSet polled;
  server.tftp.fill(polled, now);
  CHECK(polled.timeout_ms() == TftpServer::timeout_ms);
  server.tftp.poll(now + TftpServer::timeout_ms);
  CHECK(server.sent().empty());
  server.take(ack(1), now + TftpServer::timeout_ms);
  CHECK(server.sent().empty());
}

TEST_CASE("the client's timeout counts where it names one") {
  Server server;
  server.write("file", "abc");
  server.take(read_request("file", "timeout\0005\0"s));
  (void)server.sent();
  server.tftp.poll(start + 4999);
  CHECK(server.sent().empty());
  server.tftp.poll(start + 5000);
  CHECK(server.sent() == "\0\6timeout\0005\0"s);
}

TEST_CASE("doubled and foreign acknowledgements do not move a transfer") {
  Server server;
  server.write("file", content_of(2000));
  server.take(read_request("file"));
  (void)server.sent();
  server.take(ack(1));
  CHECK(server.sent().starts_with("\0\3\0\2"s));
  server.take(ack(1));
  server.take(ack(0));
  server.take(ack(3));
  server.take(ack(2), start, client(15, 2001));
  server.take(ack(2), start, client(16));
  CHECK(server.sent().empty());
  server.take(ack(2));
  CHECK(server.sent().starts_with("\0\3\0\3"s));
}

TEST_CASE("a request that comes again begins again, and an error of the client ends it") {
  Server server;
  server.write("file", content_of(2000));
  server.take(read_request("file"));
  const std::string first = server.sent();
  server.take(ack(1));
  (void)server.sent();
  server.take(read_request("file"));
  CHECK(server.sent() == first);
  server.take("\0\5\0\0enough\0"s);
  server.take(ack(1));
  CHECK(server.sent().empty());
}

TEST_CASE("names are from the top of the folder, with separators of either kind") {
  Server server;
  server.write("boot/x64/linux", "kernel");
  for (const char* name : {"boot/x64/linux", "/boot/x64/linux", "//boot//x64/linux", "boot\\x64\\linux", "\\boot\\x64\\linux",
                           "./boot/./x64/linux", "boot/../boot/x64/linux"}) {
    CAPTURE(name);
    CHECK(server.fetch(name) == "kernel");
  }
}

TEST_CASE("nothing outside the folder is read, by no name and no link") {
  TemporaryFolder outside;
  const std::string secret = outside.file("secret");
  write_file(secret, "secret");
  Server server;
  server.write("inside/file", "inside");
  const std::filesystem::path folder = server.folder.path();
  const std::string relative = "../" + outside.path().filename().string() + "/secret";
  std::filesystem::create_symlink("inside/file", folder / "link");
  std::filesystem::create_symlink("../link", folder / "inside/back");
  std::filesystem::create_symlink(secret, folder / "absolute");
  std::filesystem::create_symlink(relative, folder / "up");
  std::filesystem::create_directory_symlink(outside.path(), folder / "folder");
  std::filesystem::create_symlink("/proc/self/fd/0", folder / "magic");
  CHECK(server.fetch("link") == "inside");  // one that stays inside is a name like others
  CHECK(server.fetch("inside/back") == "inside");
  for (const std::string& name : {"absolute"s, "up"s, "folder/secret"s, "magic"s, relative, "inside/../" + relative,
                                  "/../" + relative, "..\\..\\etc\\passwd"s, "/../../../../etc/passwd"s}) {
    CAPTURE(name);
    CHECK(server.refusal(name).ends_with(": it is outside the folder"));
  }
  CHECK(server.refusal("/" + secret).ends_with(": no such file"));  // below the folder, where it is not
}

TEST_CASE("only regular files are read, and people are told what was refused") {
  Server server;
  server.write("sub/file", "x");
  REQUIRE(::mkfifo(server.folder.file("fifo").c_str(), 0600) == 0);
  for (const char* name : {"sub", "fifo", "none", "sub/file/none", "/", "."}) {
    CAPTURE(name);
    CHECK(server.refusal(name).find("no such file") != std::string::npos);
  }
  CHECK(server.reports.size() == 6);
  CHECK(server.reports[2] == "TFTP: 10.0.2.15 is refused: none: no such file");
}

TEST_CASE("a file is translated for a client that wants netascii, wherever the blocks' ends are") {
  Server server;
  const auto netascii = [](const std::string& text) {
    std::string translated;
    for (const char c : text) translated += c == '\n' ? "\r\n"s : c == '\r' ? "\r\0"s : std::string(1, c);
    return translated;
  };
  std::string mixed;
  for (int line = 0; line < 500; ++line)
    mixed += content_of(static_cast<std::size_t>(line % 23)) + "\n\r\n\n\r";
  for (const std::string& text :
       {""s, "abc"s, "\n"s, "\r"s, "a\nb\r\nc"s, std::string(255, '\n'), std::string(256, '\n'),
        std::string(511, 'x') + "\n", std::string(512, '\r'), mixed}) {
    CAPTURE(text.size());
    server.write("text", text);
    CHECK(server.fetch("text", 512, "", "netascii") == netascii(text));
    CHECK(server.fetch("text", 8, "blksize\0008\0"s, "NETASCII") == netascii(text));
    CHECK(server.fetch("text", 9, "blksize\0009\0"s, "netascii") == netascii(text));
    CHECK(server.fetch("text") == text);
  }
}

TEST_CASE(
    "what is sent again of a translated file is the same, and its size, which is not known, is not told") {
  Server server;
  server.write("text", std::string(400, '\n'));
  server.take(read_request("text", "tsize\0000\0"s, "netascii"));
  const std::string first = server.sent();
  CHECK(first.starts_with("\0\3\0\1\r\n"s));
  server.tftp.poll(start + TftpServer::timeout_ms);
  CHECK(server.sent() == first);
  server.take(ack(1));
  CHECK(server.sent().size() == 4 + 800 - 512);
}

TEST_CASE("nothing is written, and nothing is sent as mail") {
  Server server;
  server.write("file", "abc");
  server.take("\0\2file\0octet\0"s);
  CHECK(server.sent() == "\0\5\0\2nothing is written here\0"s);
  server.take("\0\3\0\1evil"s);
  CHECK(server.sent().starts_with("\0\5\0\2"s));
  server.take("\0\1file\0mail\0"s);
  CHECK(server.sent().starts_with("\0\5\0\4"s));
  server.take("nonsense");
  CHECK(server.sent().starts_with("\0\5\0\4"s));
  CHECK(server.fetch("file") == "abc");
}

TEST_CASE("one guest that begins thousands of transfers loses its own") {
  Server server;
  server.write("file", content_of(2000));
  server.take(read_request("file"), start, client(15, 1));
  for (std::uint16_t port = 1; port < 3000; ++port) server.take(read_request("file"), start, client(16, port));
  server.messages.clear();
  server.take(ack(1), start, client(15, 1));
  CHECK(server.sent().starts_with("\0\3\0\2"s));
  server.take(ack(1), start, client(16, 1));
  CHECK(server.sent().empty());
  server.take(ack(1), start, client(16, 2999));
  CHECK(server.sent().starts_with("\0\3\0\2"s));
}

TEST_CASE("where all transfers are in use, who comes still gets one, and those that go on are left alone") {
  // One VM with as many MAC addresses as it likes, and as many transfers of each.
  const unsigned of_each = GENERATE(1U, 3U, 8U);
  CAPTURE(of_each);
  Server server;
  server.write("file", content_of(100'000));
  server.take(read_request("file"), start, client(15));
  for (std::uint16_t block = 1; block < 100; ++block) {
    const std::int64_t now = start + block;
    for (unsigned n = 0; n < 40; ++n) {
      const std::uint16_t port = static_cast<std::uint16_t>(1 + n % of_each);
      server.take(read_request("file"), now, client(1000U + block * 40U + n / of_each, port));
    }
    server.messages.clear();
    server.take(ack(block), now, client(15));
    REQUIRE(server.sent().size() == 4 + 512);
  }
  server.take(read_request("file"), start + 100, client(14));
  CHECK(server.sent().starts_with("\0\3\0\1"s));
  server.take(ack(1), start + 101, client(14));
  CHECK(server.sent().starts_with("\0\3\0\2"s));
  CHECK(server.reports.empty());
}

TEST_CASE("a folder that is none is named") {
  CHECK(TftpServer::check_folder("/nowhere/at/all") ==
        "tftp: cannot open the folder /nowhere/at/all: No such file or directory");
  CHECK(TftpServer::check_folder("/etc/passwd").ends_with("Not a directory"));
}

TEST_CASE("the folder is what its path leads to when a transfer begins, and one that has begun comes to its end") {
  namespace fs = std::filesystem;
  Server server;
  const fs::path served = server.folder.path() / "served", aside = server.folder.path() / "aside";
  const auto make = [&](const fs::path& folder, const std::string& content) {
    fs::create_directories(folder);
    write_file((folder / "file").string(), content);
  };
  const std::string old_content = content_of(700), new_content = content_of(900);
  make(served, old_content);
  server.tftp.serve(served.string());
  CHECK(server.fetch("file") == old_content);
  server.take(read_request("file"));
  CHECK(server.sent().size() == 4 + 512);

  fs::rename(served, aside);
  server.take(ack(1));
  CHECK(server.sent() == "\0\3\0\2"s + old_content.substr(512));
  server.take(ack(2));
  CHECK(server.refusal("file") == "there is no folder");
  CHECK(server.reports ==
        std::vector{"tftp: cannot open the folder " + served.string() + ": No such file or directory"});

  make(served, new_content);  // made again
  CHECK(server.fetch("file") == new_content);
  fs::remove_all(served);
  fs::create_directory_symlink("aside", served);  // a link that leads to another
  CHECK(server.fetch("file") == old_content);
  fs::remove(served);
  write_file(served.string(), "no folder");
  CHECK(server.refusal("file") == "there is no folder");
}

}  // namespace tftp_server_test
