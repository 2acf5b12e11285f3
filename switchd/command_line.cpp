// The command line. CLI11 takes the arguments apart and nothing more: it would stop at the first mistake and
// say it in its own way, so every option takes any text, any number of times, or none; what is wrong is found
// below, all of it, and told as "switchd: WHERE: WHAT". Reads the file of --config; prints nothing itself.
//
// Order: the file first, then the flags over its settings, then the ports, then the whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "switchd/config_text.h"
#include "switchd/control/default_path.h"
#include "switchd/help.h"
#include "switchd/network_keys.h"

namespace lanyard {

namespace {

constexpr int exit_usage = 2;

// What was typed, by option, in order. An option without its value has an empty one.
struct Typed {
  std::vector<std::string> config;
  std::vector<std::string> network;
  std::vector<std::string> control;
  std::vector<std::string> control_group;
  std::vector<std::string> http;
  std::vector<std::string> http_token;
  std::vector<std::string> engine;
  std::vector<std::string> memory;
  std::vector<std::string> log_level;
  std::vector<std::string> ports;
  std::vector<std::string> unknown;
  bool strict = false;
  bool check = false;
  bool help = false;
  bool version = false;
  bool verbose = false;
};

class ArgumentReader {
 public:
  ArgumentReader(Typed& typed, std::vector<ConfigError>& errors) : typed_(typed), errors_(errors) {
    app_.set_help_flag();
    app_.allow_extras();
    add_value("-c,--config", typed_.config);
    add_value("--network", typed_.network);
    add_value("--control", typed_.control);
    add_value("--control-group", typed_.control_group);
    add_value("--http", typed_.http);
    add_value("--http-token", typed_.http_token);
    add_value("--engine", typed_.engine);
    add_value("--memory", typed_.memory);
    add_value("--log-level", typed_.log_level);
    add_flag("--strict", typed_.strict);
    add_flag("--check", typed_.check);
    add_flag("-h,--help", typed_.help);
    add_flag("--version", typed_.version);
    add_flag("--verbose", typed_.verbose);
  }

  void read(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Error& error) {
      errors_.push_back({"command line", error.what()});  // nothing known gets here
      return;
    }
    for (const auto& [option, values] : values_) *values = option->results();
    for (const auto& [option, flag] : flags_) read_flag(*option, *flag);
    sort_others();
    name_unknown();
  }

 private:
  void add_value(const std::string& name, std::vector<std::string>& values) {
    CLI::Option* const option = app_.add_option(name)->expected(0, 1)->take_all()->allow_extra_args(false);
    values_.emplace_back(option, &values);
  }
  void add_flag(const std::string& name, bool& flag) {
    flags_.emplace_back(app_.add_flag(name)->take_all(), &flag);
  }

  void read_flag(const CLI::Option& option, bool& flag) {
    flag = option.count() > 0;
    for (const std::string& value : option.results())
      if (value != "true")
        errors_.push_back({option.get_name(), fmt::format("takes no value, not {}", in_quotes(value))});
  }

  // PORTs and unknown options are left over, in order, and "--", after which there are no options. Declared
  // to CLI11, the PORTs would be searched for brackets, and split where it finds a pair.
  void sort_others() {
    bool options_end = false;
    for (const std::string& argument : app_.remaining()) {
      if (argument == "--")
        options_end = true;
      else if (!options_end && argument.starts_with('-'))
        typed_.unknown.push_back(argument);
      else
        typed_.ports.push_back(argument);
    }
  }

  // Words are compared without their dashes, which are no likeness: --http is not meant to be --help.
  void name_unknown() {
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options()) names.push_back(option->get_name());
    std::vector<std::string_view> words;
    for (const std::string& name : names) words.push_back(without_dashes(name));
    for (const std::string& argument : typed_.unknown) {
      const std::string_view option = std::string_view(argument).substr(0, argument.find('='));
      const std::string_view near = nearest(without_dashes(option), words);
      errors_.push_back({argument, near.empty() ? "unknown option"
                                                : fmt::format("unknown option, did you mean --{}?", near)});
    }
  }
  [[nodiscard]] static std::string_view without_dashes(std::string_view option) {
    return option.substr(std::min(option.find_first_not_of('-'), option.size()));
  }

  CLI::App app_;
  std::vector<std::pair<CLI::Option*, std::vector<std::string>*>> values_;
  std::vector<std::pair<CLI::Option*, bool*>> flags_;
  Typed& typed_;
  std::vector<ConfigError>& errors_;
};

// At most one byte more than a configuration may have, so that one which is too long is seen to be.
std::string read_file(const std::string& path, std::string& text) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fmt::format("cannot be opened: {}", std::strerror(errno));
  text.resize(limits::config_bytes_max + 1);
  std::size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < text.size()) {
    got = read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      size += static_cast<std::size_t>(got);
  }
  const int read_errno = errno;
  close(file);
  text.resize(size);
  return got < 0 ? fmt::format("cannot be read: {}", std::strerror(read_errno)) : "";
}

// The one value of an option that may be given once; nullptr where it is not given or that is wrong and has
// been said.
const std::string* only_value(std::string_view option, std::string_view form,
                              const std::vector<std::string>& values, std::vector<ConfigError>& errors) {
  if (values.empty()) return nullptr;
  if (values.size() > 1) {
    errors.push_back({std::string(option), "given more than once"});
    return nullptr;
  }
  if (!values[0].empty()) return values.data();
  errors.push_back({std::string(option), fmt::format("expected {} after it", form)});
  return nullptr;
}

void read_config_file(const Typed& typed, Config& config, std::vector<ConfigError>& errors) {
  const std::string* const path = only_value("--config", "FILE", typed.config, errors);
  if (path == nullptr) return;
  std::string text;
  const std::string wrong = read_file(*path, text);
  if (wrong.empty())
    parse_yaml(text, *path, config, errors);
  else
    errors.push_back({*path, wrong});
}

void read_setting(std::string_view name, std::string_view form, const std::vector<std::string>& values,
                  Config& config, std::vector<ConfigError>& errors) {
  const std::string option = fmt::format("--{}", name);
  const std::string* const value = only_value(option, form, values, errors);
  const std::string wrong = value == nullptr ? "" : find_daemon_setting(name)->read(*value, config);
  if (!wrong.empty()) errors.push_back({fmt::format("{} {}", option, *value), wrong});
  const bool is_clear = value != nullptr && wrong.empty();
  if (is_clear) config.given[std::string(name)] = *value;
  if (is_clear) config.unclear.erase(std::string(name));  // what the file says of it is no matter
  else if (!values.empty()) config.unclear.insert(std::string(name));
}

// What is said of one network here and there must not differ.
std::vector<std::string> conflicts(const WrittenNetwork& network, std::map<std::string, std::string>& given) {
  std::vector<std::string> wrong;
  for (const auto& [key, value] : network.keys) {
    const auto [before, is_new] = given.emplace(key, value);
    if (!is_new && before->second != value)
      wrong.push_back(fmt::format("network '{}' has {}={} already", network.name, key, before->second));
  }
  return wrong;
}

// Each --network NAME[:KIND][,KEY=VALUE]... declares a network, or says more of one that the file declares. The first
// that is a NAME and no more, else the first without a KIND, is for the ports that name none.
void read_networks(const Typed& typed, Config& config, std::vector<ConfigError>& errors) {
  std::map<std::string, std::map<std::string, std::string>> given;  // here, by network and key
  std::string bare;
  std::string without_kind;
  for (const std::string& value : typed.network) {
    const std::string where = value.empty() ? "--network" : fmt::format("--network {}", value);
    WrittenNetwork network;
    const std::string malformed = value.empty() ? "expected NAME[:KIND][,KEY=VALUE]... after it"
                                                : take_apart_network(value, network);
    if (!malformed.empty()) {
      errors.push_back({where, malformed});
      if (!network.name.empty()) config.networks.try_emplace(network.name);  // its ports are not to blame
      continue;
    }
    std::vector<std::string> wrong = read_network_keys(network.keys, config.networks[network.name]);
    if (wrong.empty()) wrong = conflicts(network, given[network.name]);
    for (std::string& mistake : wrong) errors.push_back({where, std::move(mistake)});
    if (bare.empty() && network.keys.empty()) bare = network.name;
    const bool has_kind = std::any_of(network.keys.begin(), network.keys.end(),
                                      [](const WrittenNetworkKey& key) { return key.key == "kind"; });
    if (without_kind.empty() && !has_kind) without_kind = network.name;
  }
  if (without_kind.empty()) return;
  config.default_network = bare.empty() ? without_kind : bare;
  config.given["network"] = config.default_network;
}

void read_ports(const Typed& typed, Config& config, std::vector<ConfigError>& errors) {
  for (const std::string& text : typed.ports) parse_port(text, config.ports.emplace_back(), errors);
  const bool comes_later = !config.control || !config.control->empty() || config.http;  // by the control socket or HTTP
  if (config.ports.empty() && errors.empty() && !comes_later)
    errors.push_back(
        {"no ports", "give at least one, such as vms=tcp-listen:7000, or a --config FILE that has some, or a control "
                     "socket by which they can come"});
}

// Why the control socket is not where it is by default. A path that is computed is as good or bad as one that is
// written; only, there is another.
void tell_of_default_control(Config& config) {
  if (config.control || config.unclear.contains("control")) return;
  const std::vector<control::DefaultPath> paths = control::paths_to_serve();
  const std::string wrong = control::why_no_socket_path(paths.front().path);
  const control::RuntimeFolder runtime = control::runtime_folder();
  const std::string why = runtime.path.empty() ? runtime.wrong : wrong;
  if (why.empty()) return;
  const bool is_mistake = !runtime.path.empty() || runtime.is_mistake;
  (is_mistake ? config.warnings : config.notes)
      .push_back({"XDG_RUNTIME_DIR", fmt::format("{}: the control socket is {}", why, paths.back().path)});
}

std::string report(const std::vector<ConfigError>& errors) {
  std::string text;
  for (const ConfigError& error : errors) text += fmt::format("switchd: {}\n", to_string(error));
  return text + "switchd: for options and types of ports see switchd --help\n";
}

std::string check_report(const Config& config) {
  std::string text;
  for (const ConfigError& warning : config.warnings) text += fmt::format("warning: {}\n", to_string(warning));
  for (const ConfigError& note : config.notes) text += fmt::format("note: {}\n", to_string(note));
  return text + fmt::format("configuration ok: {}, {}\n", counted(config.ports.size(), "port"),
                            counted(config.networks.size(), "network"));
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine result;
  Config& config = result.config;
  std::vector<ConfigError> errors;
  Typed typed;
  ArgumentReader(typed, errors).read(argc, argv);
  if (typed.help || typed.version) {
    result.exit_code = 0;
    result.output = typed.help ? help_text() : version_text();
    if (!typed.help && typed.verbose) result.output += budget_text();
    return result;
  }
  if (typed.verbose)
    errors.push_back({"--verbose", "goes with --version; for a talkative log use --log-level debug"});

  config.check_only = typed.check;
  read_config_file(typed, config, errors);
  read_setting("engine", "auto, io_uring or epoll", typed.engine, config, errors);
  read_setting("memory", "SIZE", typed.memory, config, errors);
  read_setting("log-level", "error, warn, info or debug", typed.log_level, config, errors);
  read_setting("control", "PATH or none", typed.control, config, errors);
  read_setting("control-group", "NAME", typed.control_group, config, errors);
  read_setting("http", "ADDR:PORT or none", typed.http, config, errors);
  read_setting("http-token", "FILE", typed.http_token, config, errors);
  if (typed.strict) {
    config.strict = true;
    config.given["strict"] = "true";
  }
  read_networks(typed, config, errors);
  read_ports(typed, config, errors);
  complete(config, errors);
  tell_of_default_control(config);

  if (!errors.empty()) {
    result.exit_code = exit_usage;
    result.output = report(errors);
  } else if (config.check_only) {
    result.exit_code = 0;
    result.output = check_report(config);
  }
  return result;
}

}  // namespace lanyard
