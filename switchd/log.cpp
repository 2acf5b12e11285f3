// The log, by spdlog. The only file that sees its headers, which are slow to compile.
#include "switchd/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>

#include "switchd/log_writer.h"

namespace lanyard {

namespace {

[[nodiscard]] spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::info;
}

// Never waits for who reads it.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    writer_.write(formatted(message), [this](std::uint64_t lost) {
      return formatted({"", spdlog::level::warn, fmt::format("{} lines are not here: nobody read the log", lost)});
    });
  }
  void flush_() override {}
  [[nodiscard]] std::string formatted(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    return {text.data(), text.size()};
  }

  LogWriter writer_{STDERR_FILENO};
};

[[nodiscard]] spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("switchd", std::make_shared<StandardError>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }
bool log_enabled(LogLevel level) { return logger().should_log(to_spdlog(level)); }
void log_line(LogLevel level, std::string_view line) {
  logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace lanyard
