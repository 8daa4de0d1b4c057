curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v3/chat/completions \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "doubao-seed-2.0-pro", "messages": [ {"role": "user", "content": "请介绍 AI Gateway 的作用"} ], "stream": false }'
