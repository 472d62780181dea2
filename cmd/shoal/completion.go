package main

import (
	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script with which a shell completes shoal's commands and flags",
		ArgsUsage: "bash|zsh|fish",
		Description: "Examples: source <(shoal completion bash), in ~/.bashrc; source <(shoal completion zsh), in ~/.zshrc behind compinit;\n" +
			"shoal completion fish > ~/.config/fish/completions/shoal.fish",
		Action: func(c *cli.Context) error {
			switch shell := c.Args().First(); shell {
			case "bash":
				_, err := foreign.Fprintln(c.App.Writer, bashScript)
				return err
			case "zsh":
				_, err := foreign.Fprintln(c.App.Writer, zshScript)
				return err
			case "fish":
				_, err := foreign.Fprintln(c.App.Writer, fishScript)
				return err
			default:
				return usageError("shoal completion bash, zsh or fish", "there is no completion for %q", shell)
			}
		},
	}
}

// completing is the last word of a command line that asks what could stand there; package cli answers it.
const completing = "--generate-bash-completion"

const bashScript foreign.Constant = `# bash completion for shoal
_shoal() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ "$cur" == -* ]] && words+=("$cur")
  COMPREPLY=($(compgen -W "$("${words[@]}" ` + completing + ` 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _shoal shoal`

const zshScript foreign.Constant = `#compdef shoal
_shoal() {
  local cur="${words[CURRENT]}"
  local -a line=("${(@)words[1,CURRENT-1]}") opts
  [[ "$cur" == -* ]] && line+=("$cur")
  opts=("${(@f)$("${(@)line}" ` + completing + ` 2>/dev/null)}")
  if [[ -n "${opts[1]}" ]]; then compadd -- "${(@)opts}"; else _files; fi
}
compdef _shoal shoal`

const fishScript foreign.Constant = `# fish completion for shoal
function __shoal_words
  set -l line (commandline -opc)
  set -l cur (commandline -ct)
  string match -q -- '-*' $cur; and set -a line $cur
  command $line ` + completing + ` 2>/dev/null
end
complete -c shoal -n __fish_use_subcommand -f
complete -c shoal -a '(__shoal_words)'`
