// Carrying verbs out; see the header.
#include "tools/lanyard/run.h"

#include "switchd/control/json.h"
#include "switchd/control/words.h"
#include "tools/lanyard/client.h"
#include "tools/lanyard/completion.h"
#include "tools/lanyard/help.h"
#include "tools/lanyard/output.h"
#include "tools/lanyard/views.h"

namespace lanyard::cli {

namespace {

// The member of the oneof that is set, as a JSON document of its own.
std::string result_json(const v1::Response& response) {
  const auto* const result = v1::Response::descriptor()->FindOneofByName("result");
  const auto* const field = response.GetReflection()->GetOneofFieldDescriptor(response, result);
  return field == nullptr ? "{}\n" : control::to_json(response.GetReflection()->GetMessage(response, field)) + "\n";
}

void print(const v1::Response& response, const Arguments& arguments) {
  const Style style = style_of_output();
  const auto show = arguments.verb()->show;
  if (arguments.has("--json"))
    write_output(result_json(response));
  else
    write_output(show != nullptr ? show(response, arguments, style) : text_of(response, style));
}

}  // namespace

void run(Arguments& arguments) {
  v1::Request request;
  const Verb& verb = *arguments.verb();
  if (verb.ask != nullptr) verb.ask(arguments, request);
  arguments.insist_good();
  if (verb.run != nullptr) return verb.run(arguments, request);
  Client client(arguments.control_paths());
  print(client.ask(request), arguments);
}

void run_events(Arguments& arguments, v1::Request& request) {
  Client client(arguments.control_paths());
  if (!request.watch_events().follow()) return print(client.ask(request), arguments);
  const std::uint64_t stream = client.send(request);
  for (bool more = true; more;) {
    const v1::Response response = client.receive(stream);
    more = response.more();
    if (response.has_events()) print(response, arguments);
  }
}

void run_version(Arguments& arguments, v1::Request& request) {
  if (!arguments.has("--json")) write_output(version_text());  // also where no daemon answers
  Client client(arguments.control_paths());
  print(client.ask(request), arguments);
}

void run_completion(Arguments& arguments, v1::Request&) {
  const std::vector<std::string_view> shells(completion_shells().begin(), completion_shells().end());
  const std::string& shell = arguments.word(0);
  if (std::find(shells.begin(), shells.end(), shell) == shells.end())
    arguments.add_mistake("completion", unknown_word("shell", shell, shells));
  if (arguments.has("--json")) arguments.add_mistake("--json", "a script is no JSON");
  arguments.insist_good();
  write_output(completion_script(shell));
}

void run_names(Arguments& arguments, v1::Request& request) {
  const bool of_ports = arguments.word(0) == "ports";
  if (of_ports)
    request.mutable_list_ports();
  else
    request.mutable_list_networks();
  Client client(arguments.control_paths());
  const v1::Response answer = client.ask(request);
  std::string lines;
  for (const v1::Port& port : answer.ports().ports()) lines += port.name() + "\n";
  for (const v1::Network& network : answer.networks().networks()) lines += network.name() + "\n";
  write_output(lines);
}

}  // namespace lanyard::cli
