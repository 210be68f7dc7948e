import ArgumentParser
import Tessera

struct RecipesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipes", _superCommandName: "tessera",
    abstract: "List the recipes, or print one as YAML to start from.",
    discussion: "EXAMPLE: tessera recipes w8a8 > recipe.yaml")

  @Argument(help: "The recipe to print.")
  var name: String?

  func run() throws {
    if let name {
      guard Recipe.all.contains(where: { $0.name == name }) else {
        let known = Recipe.all.map(\.name).joined(separator: ", ")
        throw ValidationError("there is no recipe '\(name)'; known are \(known)")
      }
      print(try Recipe(named: name).yaml, terminator: "")
      return
    }
    for recipe in Recipe.all {
      print(recipe.name)
      print("    " + recipe.explanation)
    }
  }
}
