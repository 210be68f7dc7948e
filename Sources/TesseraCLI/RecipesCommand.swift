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
      print(try Recipe(named: name).yaml, terminator: "")
      return
    }
    for recipe in Recipe.all {
      print(recipe.name)
      print("    " + recipe.explanation)
    }
  }
}
