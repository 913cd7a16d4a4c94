{{/* Names and labels that all objects share. */}}

{{- define "airis-mon.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "airis-mon.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "airis-mon.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes (list $ "component"). */}}
{{- define "airis-mon.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "airis-mon.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "airis-mon.labels" -}}
{{- $root := index . 0 -}}
{{ include "airis-mon.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: airis-mon
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "airis-mon.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "airis-mon.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "airis-mon.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "airis-mon.analyzerConfigMap" -}}
{{- default (printf "%s-analyzer" (include "airis-mon.fullname" .)) .Values.analyzer.existingConfigMap -}}
{{- end -}}

{{/* Pod fields that do not depend on the component: (list $ componentValues). */}}
{{- define "airis-mon.pod" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
serviceAccountName: {{ include "airis-mon.serviceAccount" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Container fields that do not depend on the component: (list $ componentValues). */}}
{{- define "airis-mon.container" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
image: {{ include "airis-mon.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml $root.Values.securityContext | nindent 2 }}
ports:
  - {name: http, containerPort: {{ $values.port }}, protocol: TCP}
livenessProbe:
  httpGet: {path: /-/healthy, port: http}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /-/ready, port: http}
  periodSeconds: 5
resources:
  {{- toYaml $values.resources | nindent 2 }}
{{- end -}}
