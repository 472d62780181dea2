package strict

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// expanded are a container's arguments as a pod gets them: $(NAME) is the variable, and $$ is $.
func expanded(c core.Container, index string) (out []string) {
	for _, a := range c.Args {
		out = append(out, strings.NewReplacer("$$", "$", "$(JOB_COMPLETION_INDEX)", index).Replace(a))
	}
	return out
}

// written is what job.sh writes, decoded.
func written(t *testing.T, words ...string) (job batch.Job) {
	t.Helper()
	text, err := exec.Command("bash", append([]string{"../job.sh"}, words...)...).Output()
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	if err := yaml.UnmarshalStrict(text, &job); err != nil {
		t.Fatalf("%v: %v\n%s", words, err, text)
	}
	pod := job.Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		if !c.VolumeMounts[0].ReadOnly || c.VolumeMounts[0].MountPath != "/release" || *c.SecurityContext.AllowPrivilegeEscalation ||
			!*c.SecurityContext.ReadOnlyRootFilesystem || c.Resources.Limits.Memory().IsZero() || len(c.SecurityContext.Capabilities.Drop) != 1 {
			t.Errorf("%v: %+v", words, c)
		}
	}
	if !*pod.SecurityContext.RunAsNonRoot || len(pod.Volumes) != 2 || !pod.Volumes[0].PersistentVolumeClaim.ReadOnly {
		t.Errorf("%v: %+v", words, pod)
	}
	return job
}

// TestJobsOfEveryCommand: what job.sh writes is a job that Kubernetes knows, with the words of the command as they were given, whatever stands in
// them, as many pods as shards, and a second one that merges all of them first.
func TestJobsOfEveryCommand(t *testing.T) {
	for _, line := range []string{
		"check /release/shoal.yaml", "certify /release/m.onnx --data fmnist:/release/data --eps 2/255",
		"radius /release/m.onnx --data npz:/release/a.npz",
		"attack /release/m.onnx --data fmnist:/release/data --eps 2/255,8/255", "compare /release/a.onnx /release/b.onnx --data mnist:/release",
		"study /release/study.yaml -o /records/out --only models", `attack /release/a"b\c$d$(JOB_COMPLETION_INDEX).onnx --data {x}: #y 'z' "" *`,
	} {
		words := strings.Split(line, " ")
		job := written(t, append([]string{"shards", "run", "12"}, words...)...)
		pod := job.Spec.Template.Spec
		want := slices.Concat(words, strings.Fields("--shard auto --threads 4 --records /records/run-7.jsonl"))
		if got := expanded(pod.Containers[0], "7"); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if *job.Spec.CompletionMode != batch.IndexedCompletion || *job.Spec.Completions != 12 || *job.Spec.Parallelism != 12 || job.Name != "run" ||
			!slices.ContainsFunc(pod.Containers[0].Env, func(e core.EnvVar) bool { return e.Name == "SHOAL_SHARDS" && e.Value == "12" }) {
			t.Errorf("%+v", job.Spec)
		}
		job = written(t, append([]string{"merge", "run", "3"}, words...)...)
		pod = job.Spec.Template.Spec
		first := strings.Fields("merge /records/run-0.jsonl /records/run-1.jsonl /records/run-2.jsonl -o /records/run.jsonl")
		if len(pod.InitContainers) != 1 || !slices.Equal(expanded(pod.InitContainers[0], ""), first) {
			t.Errorf("%+v", pod.InitContainers)
		}
		got := expanded(pod.Containers[0], "")
		if len(pod.Containers) != 1 || !slices.Equal(got, append(slices.Clone(words), "--records", "/records/run.jsonl")) {
			t.Errorf("%q", got)
		}
		if job.Spec.CompletionMode != nil || job.Spec.Completions != nil || *job.Spec.BackoffLimit != 0 || job.Name != "run-merge" {
			t.Errorf("%+v", job.Spec)
		}
	}
	for _, words := range [][]string{{"shards", "run", "0", "check"}, {"shards", "Run", "2", "check"}, {"both", "run", "2", "check"},
		{"shards", "run", "2"},
		{"shards", "run", "2", "check", "a\nb"}} {
		var exit *exec.ExitError
		if err := exec.Command("bash", append([]string{"../job.sh"}, words...)...).Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: %v", words, err)
		}
	}
}
